package admin

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"usher/internal/onboard"
)

// AccountDetail is everything the page of one account shows.
type AccountDetail struct {
	Account  onboard.Account
	State    AccountState
	Status   Status
	Since    time.Time // when it came to be so; zero when nobody noted it
	Strip    []Cell
	Sets     []SetRow
	Changes  []onboard.GrantChange
	Timeline []Happening
	Notes    []Note
	Attempts []onboard.Attempt // that asked for it or brought it, the newest first
	Open     *onboard.Attempt  // an invite that the merchant may still use; nil for none
}

// SetRow is one permission set as three parties see it.
type SetRow struct {
	ID      onboard.PermissionID
	Has     bool // the platform has it: it asks for it by default, or some account granted it
	Asked   bool
	Granted bool
	Waits   bool // granted, and waits for the merchant's confirmation
}

// How much of its history a page shows.
const (
	attemptsShown  = 20
	handoffsFor    = 5 // attempts whose hand-offs are shown
	eventsShown    = 50
	changesShown   = 20
	actsShown      = 50
	notesShown     = 100
	timelineShown  = 100
	refreshesShown = 6
)

// AccountDetail reads the page of one account. It never asks WeChat. An AppID that
// invites asked for and that never was authorized has a page too: NeverDone.
func (s *Service) AccountDetail(ctx context.Context, appID onboard.AppID) (d AccountDetail, err error) {
	now := s.now()
	d.Account, err = s.accountOr404(ctx, appID)
	unknown := err
	if kind, _ := onboard.Explain(err); err != nil && kind != onboard.NotFound {
		return d, err
	}
	if d.Attempts, err = s.store.AttemptsOf(ctx, appID, attemptsShown); err != nil {
		return d, err
	}
	for i, a := range d.Attempts {
		if a.Invite() && a.BizAppID == appID && InviteStateOf(a, now) == InviteWaiting {
			d.Open = &d.Attempts[i]
			break
		}
	}
	if unknown != nil {
		if d.Attempts = slices.DeleteFunc(d.Attempts, func(a onboard.Attempt) bool { return !a.Invite() || a.BizAppID != appID }); len(d.Attempts) == 0 {
			return d, unknown
		}
		d.Account.AppID, d.Status, d.Since = appID, NeverDone, d.Attempts[len(d.Attempts)-1].CreatedAt
		d.Timeline, err = s.timeline(ctx, d)
		return d, err
	}
	if d.State, err = s.store.AccountState(ctx, appID); err != nil {
		return d, found(err)
	}
	d.Status, d.Since = StatusOf(d.Account), Since(d.Account, d.State.Refreshes)
	d.Strip = Strip(d.State.Refreshes, now)
	if d.Changes, err = s.store.GrantChanges(ctx, appID, changesShown); err != nil {
		return d, err
	}
	seen, err := s.store.SeenSets(ctx)
	if err != nil {
		return d, err
	}
	d.Sets = setRows(d.Account, s.Settings().Wanted, seen)
	if d.Notes, err = s.store.Notes(ctx, appID, notesShown); err != nil {
		return d, err
	}
	d.Timeline, err = s.timeline(ctx, d)
	return d, err
}

// setRows compares what the platform has with what was asked for and granted, in
// the order: missing, granted, the rest.
func setRows(a onboard.Account, defaults []onboard.PermissionID, seen []SeenSet) []SetRow {
	has := map[onboard.PermissionID]bool{}
	for _, id := range defaults {
		has[id] = true
	}
	for _, set := range seen {
		has[set.ID] = has[set.ID] || set.Granted
	}
	for _, id := range a.Wanted {
		if !has[id] {
			has[id] = false // a row of its own, although the platform may not have it
		}
	}
	for _, id := range a.Grants.IDs() {
		has[id] = true
	}
	kind := a.Kind()
	var rows []SetRow
	for _, id := range slices.Sorted(maps.Keys(has)) {
		set, _ := onboard.LookupSet(id)
		granted := a.Grants.Has(id)
		if !granted && !set.GrantedBy(kind) {
			continue
		}
		rows = append(rows, SetRow{
			ID: id, Has: has[id], Asked: slices.Contains(a.Wanted, id) || len(a.Wanted) == 0 && granted, Granted: granted,
			Waits: slices.ContainsFunc(a.Grants, func(g onboard.Grant) bool { return g.ID == id && waits(g) }),
		})
	}
	order := func(r SetRow) int {
		switch {
		case r.Asked && !r.Granted:
			return 0
		case r.Granted:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(rows, func(a, b SetRow) int { return cmp.Compare(order(a), order(b)) })
	return rows
}

// HappeningKind names what happened. The words are the catalogs'.
type HappeningKind string

// What a timeline shows.
const (
	HappenedInvited    HappeningKind = "invited"
	HappenedBegun      HappeningKind = "begun"
	HappenedOpened     HappeningKind = "opened"
	HappenedHandedOff  HappeningKind = "handed_off"
	HappenedAuthorized HappeningKind = "authorized"
	HappenedMissing    HappeningKind = "missing"
	HappenedWrong      HappeningKind = "wrong_account"
	HappenedChanged    HappeningKind = "changed"
	HappenedRefreshed  HappeningKind = "refreshed"
	HappenedFailed     HappeningKind = "failed"
	HappenedRevoked    HappeningKind = "revoked"
	HappenedRescan     HappeningKind = "rescan"
	HappenedActed      HappeningKind = "acted"
)

// Happening is one line of a timeline.
type Happening struct {
	At             time.Time
	Kind           HappeningKind
	Actor          string // an admin; empty for anybody else
	Action         string // of HappenedActed, as in the audit
	Detail         string // class and errcode of a failure, or what an admin wrote
	Times          int    // how often, when it was more than once
	Added, Removed []onboard.PermissionID
	Attempt        string // id of the invite it belongs to; empty for none
}

// happeningOrder is the order of what happens within one second: WeChat's clock has
// whole seconds, ours has not.
var happeningOrder = []HappeningKind{
	HappenedInvited, HappenedBegun, HappenedOpened, HappenedHandedOff, HappenedAuthorized, HappenedMissing, HappenedWrong, HappenedChanged,
	HappenedRefreshed, HappenedFailed, HappenedRescan, HappenedRevoked, HappenedActed,
}

func laterFirst(a, b Happening) int {
	return cmp.Or(
		b.At.Truncate(time.Second).Compare(a.At.Truncate(time.Second)),
		cmp.Compare(slices.Index(happeningOrder, b.Kind), slices.Index(happeningOrder, a.Kind)),
		b.At.Compare(a.At),
	)
}

// timeline puts together what the tables say about an account, the newest first.
func (s *Service) timeline(ctx context.Context, d AccountDetail) ([]Happening, error) {
	appID := d.Account.AppID
	var all []Happening
	verdicts := map[string]onboard.Verdict{}
	for i, a := range d.Attempts {
		verdicts[a.ID] = a.Verdict
		invite := ""
		begun := Happening{At: a.CreatedAt, Kind: HappenedBegun}
		if a.Invite() && a.InvitedBy != "" {
			invite = a.ID
			begun = Happening{At: a.CreatedAt, Kind: HappenedInvited, Actor: a.InvitedBy, Attempt: invite}
		}
		all = append(all, begun)
		if !a.OpenedAt.IsZero() {
			all = append(all, Happening{At: a.OpenedAt, Kind: HappenedOpened, Attempt: invite})
		}
		if i >= handoffsFor || a.HandedOffAt.IsZero() {
			continue
		}
		handoffs, err := s.store.Handoffs(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		for _, h := range handoffs {
			all = append(all, Happening{At: h.MintedAt, Kind: HappenedHandedOff, Detail: string(h.Channel), Attempt: invite})
		}
	}
	events, err := s.store.AccountEvents(ctx, appID, eventsShown)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		h := Happening{At: e.At, Kind: HappeningKind(e.Kind)}
		switch {
		case e.Kind == AccountAuthorized && verdicts[e.Detail] == onboard.WrongAccount:
			h.Kind = HappenedWrong
		case e.Kind == AccountAuthorized && verdicts[e.Detail] == onboard.Missing:
			h.Kind = HappenedMissing
		case e.Kind != AccountAuthorized:
			h.Detail = e.Detail
		}
		all = append(all, h)
	}
	for _, c := range d.Changes {
		all = append(all, Happening{At: c.At, Kind: HappenedChanged, Added: c.Added, Removed: c.Removed})
	}
	for _, r := range d.State.Refreshes[max(0, len(d.State.Refreshes)-refreshesShown):] {
		h := Happening{At: r.At, Kind: HappenedRefreshed, Times: r.Times}
		if !r.OK() {
			h.Kind, h.Detail = HappenedFailed, r.Reason
		}
		all = append(all, h)
	}
	acts, err := s.store.AuditOf(ctx, string(appID), actsShown)
	if err != nil {
		return nil, err
	}
	for _, e := range acts {
		if e.Action == ActInvite {
			continue // the invite is there itself
		}
		h := Happening{At: e.At, Kind: HappenedActed, Actor: e.Actor, Action: e.Action, Detail: e.After}
		if h.Detail == "" {
			h.Detail = e.Before
		}
		all = append(all, h)
	}
	slices.SortStableFunc(all, laterFirst)
	return all[:min(len(all), timelineShown)], nil
}
