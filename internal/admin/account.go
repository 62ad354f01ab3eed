package admin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"usher/internal/onboard"
)

// Note is what an admin wrote about an account.
type Note struct {
	At     time.Time
	Author string
	Text   string
}

// Limits of what admins write about an account.
const (
	NoteLimit = 1000 // characters
	tagLimit  = 24
	tagsLimit = 20 // of one account
)

// AccountState is what the console keeps beside an account.
type AccountState struct {
	Listed    Listed
	Refreshes []Refresh
	DueAt     time.Time // of the next refresh; zero when none is planned
}

// StoredEvent is one row of what happened to an account.
type StoredEvent struct {
	At     time.Time
	Kind   AccountEvent
	Detail string
}

// AccountStore keeps what the console knows of one account.
type AccountStore interface {
	Account(ctx context.Context, appID onboard.AppID) (onboard.Account, error)
	Attempt(ctx context.Context, id string) (onboard.Attempt, error)
	GrantChanges(ctx context.Context, appID onboard.AppID, limit int) ([]onboard.GrantChange, error)
	Handoffs(ctx context.Context, attemptID string) ([]onboard.Handoff, error)
	// AccountState reads one, or onboard.ErrNoRow.
	AccountState(ctx context.Context, appID onboard.AppID) (AccountState, error)
	// AccountEvents and AttemptsOf list the newest first; the attempts are those
	// that asked for the account or brought it.
	AccountEvents(ctx context.Context, appID onboard.AppID, limit int) ([]StoredEvent, error)
	AttemptsOf(ctx context.Context, appID onboard.AppID, limit int) ([]onboard.Attempt, error)
	// AuditOf lists the newest rows about exactly target.
	AuditOf(ctx context.Context, target string, limit int) ([]Entry, error)
	// Notes lists the newest first. SaveNote adds one, or returns onboard.ErrNoRow
	// for an account that is not known.
	Notes(ctx context.Context, appID onboard.AppID, limit int) ([]Note, error)
	SaveNote(ctx context.Context, appID onboard.AppID, n Note) error
	// SaveTag adds a tag to every account of ids that is known and has fewer than
	// limit of them, and counts those that did not have it.
	SaveTag(ctx context.Context, ids []onboard.AppID, tag, author string, limit int, now time.Time) (int, error)
	// DropTag removes a tag and reports whether it was there.
	DropTag(ctx context.Context, appID onboard.AppID, tag string, now time.Time) (bool, error)
	// SaveHidden hides an account from lists or shows it again, and reports whether
	// that changed anything.
	SaveHidden(ctx context.Context, appID onboard.AppID, hidden bool, now time.Time) (bool, error)
}

// Sentences for what a person can correct about an account.
const (
	KeyNote onboard.Key = "accounts.error.note"
	KeyTag  onboard.Key = "accounts.error.tag"
	KeyTags onboard.Key = "accounts.error.tags"
)

// ParseTag reads a tag: 1 to 24 printable characters, one space between words.
func ParseTag(s string) (string, error) {
	s = strings.Join(strings.Fields(norm.NFC.String(strings.ToValidUTF8(s, ""))), " ")
	n := utf8.RuneCountInString(s)
	if n == 0 || n > tagLimit || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || unicode.Is(unicode.Cf, r) }) {
		return "", onboard.Errorf(onboard.Invalid, KeyTag, "a tag of %d characters", n)
	}
	return s, nil
}

// Accounts reads one page of the list. The total of all accounts, or of a kind and
// a status, is some seconds old at most; counting them anew would cost more than the
// page.
func (s *Service) Accounts(ctx context.Context, q AccountQuery) (AccountPage, error) {
	q = q.normal()
	f := q.AccountFilter
	f.Kind, f.Status, f.Acting = "", AnyStatus, false
	q.NoTotal = f.Empty()
	page, err := s.store.ListAccounts(ctx, q)
	if err != nil || !q.NoTotal {
		return page, err
	}
	counts, err := s.accountCounts(ctx)
	for _, n := range counts {
		if q.chooses(n) {
			page.Total += n.N
		}
	}
	return page, err
}

// chooses reports whether a filter of a kind and a status has the accounts of a count.
func (f AccountFilter) chooses(n AccountCount) bool {
	return (f.Kind == "" || f.Kind == n.Kind) && (f.Status == AnyStatus || f.Status == n.Status) && (!f.Acting || n.Status.Acting())
}

// countFor is how long counts of all accounts are good: they are asked for by
// every page of the console.
const countFor = 3 * time.Second

// counted are the counts as they were read last.
type counted struct {
	at  time.Time
	all []AccountCount
}

// AccountCounts counts the accounts that are not hidden, as they were some seconds
// ago at most.
func (s *Service) AccountCounts(ctx context.Context) (total, acting int, by map[Status]int, err error) {
	counts, err := s.accountCounts(ctx)
	if err != nil {
		return 0, 0, nil, err
	}
	by = map[Status]int{}
	for _, n := range counts {
		by[n.Status] += n.N
		total += n.N
		if n.Status.Acting() {
			acting += n.N
		}
	}
	return total, acting, by, nil
}

func (s *Service) accountCounts(ctx context.Context) ([]AccountCount, error) {
	now := s.now()
	c := s.counts.Load()
	if c == nil || now.Sub(c.at) > countFor || now.Before(c.at) {
		all, err := s.store.CountAccounts(ctx)
		if err != nil {
			return nil, err
		}
		c = &counted{at: now, all: all}
		s.counts.Store(c)
	}
	return c.all, nil
}

// changedAccounts forgets the counts after a change of ours.
func (s *Service) changedAccounts() { s.counts.Store(nil) }

// Tags lists the tags in use.
func (s *Service) Tags(ctx context.Context) ([]string, error) { return s.store.Tags(ctx, 200) }

// SeenSets lists the permission sets that any account granted or was asked for, and
// those that invites ask for unless told otherwise.
func (s *Service) SeenSets(ctx context.Context) ([]onboard.PermissionID, error) {
	seen, err := s.store.SeenSets(ctx)
	if err != nil {
		return nil, err
	}
	ids := slices.Clone(s.Settings().Wanted)
	for _, set := range seen {
		ids = append(ids, set.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// AddNote writes a note about an account.
func (s *Service) AddNote(ctx context.Context, appID onboard.AppID, text string) error {
	text = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\r\n", "\n"))
	if n := utf8.RuneCountInString(text); n == 0 || n > NoteLimit {
		return onboard.Errorf(onboard.Invalid, KeyNote, "a note of %d characters", n)
	}
	if err := found(s.store.SaveNote(ctx, appID, Note{At: s.now(), Author: ActorOf(ctx).Admin.Name, Text: text})); err != nil {
		return err
	}
	return s.Audit(ctx, Entry{Action: "account.note", Target: string(appID), After: text})
}

// AddTag tags one account.
func (s *Service) AddTag(ctx context.Context, appID onboard.AppID, tag string) error {
	tag, err := ParseTag(tag)
	if err != nil {
		return err
	}
	state, err := s.store.AccountState(ctx, appID)
	if err != nil {
		return found(err)
	}
	if len(state.Listed.Tags) >= tagsLimit {
		return onboard.Errorf(onboard.Invalid, KeyTags, "%d tags", len(state.Listed.Tags))
	}
	if _, err := s.store.SaveTag(ctx, []onboard.AppID{appID}, tag, ActorOf(ctx).Admin.Name, tagsLimit, s.now()); err != nil {
		return err
	}
	return s.Audit(ctx, Entry{Action: "account.tag", Target: string(appID), After: tag})
}

// DropTag removes a tag of one account.
func (s *Service) DropTag(ctx context.Context, appID onboard.AppID, tag string) error {
	if _, err := s.store.DropTag(ctx, appID, tag, s.now()); err != nil {
		return found(err)
	}
	return s.Audit(ctx, Entry{Action: "account.untag", Target: string(appID), Before: tag})
}

// Hide takes an account out of the list, or puts it back.
func (s *Service) Hide(ctx context.Context, appID onboard.AppID, hidden bool) error {
	if _, err := s.store.SaveHidden(ctx, appID, hidden, s.now()); err != nil {
		return found(err)
	}
	s.changedAccounts()
	action := "account.show"
	if hidden {
		action = "account.hide"
	}
	return s.Audit(ctx, Entry{Action: action, Target: string(appID)})
}

// accountOr404 reads an account for a page.
func (s *Service) accountOr404(ctx context.Context, appID onboard.AppID) (onboard.Account, error) {
	a, err := s.store.Account(ctx, appID)
	if err == nil && a.Standing == "" {
		err = errors.Join(onboard.ErrNoRow, errors.New("an account without a standing"))
	}
	return a, found(err)
}

// ListedAccount reads one account as a list shows it; one that is not there is
// NotFound.
func (s *Service) ListedAccount(ctx context.Context, appID onboard.AppID) (Listed, error) {
	state, err := s.store.AccountState(ctx, appID)
	return state.Listed, found(err)
}
