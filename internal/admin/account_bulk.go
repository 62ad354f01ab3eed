package admin

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"usher/internal/onboard"
)

// BulkLimit is how many accounts one press may act on.
const BulkLimit = 5000

// How many rows are read, and how many accounts tagged, in one go.
const (
	readAtOnce  = 1000
	writeAtOnce = 200
)

// EachAccount calls visit with the accounts of a filter, page by page, until limit
// were visited; 0 is no limit. It reports whether there were more.
func (s *Service) EachAccount(ctx context.Context, q AccountQuery, limit int, visit func([]Listed) error) (more bool, err error) {
	q = q.normal()
	q.Size, q.NoTotal, q.After, q.Before = readAtOnce, true, Cursor{}, Cursor{}
	for done := 0; ; {
		page, err := s.store.ListAccounts(ctx, q)
		if err != nil {
			return false, err
		}
		rows := page.Rows
		if limit > 0 {
			rows = rows[:min(len(rows), limit-done)]
		}
		if len(rows) > 0 {
			if err := visit(rows); err != nil {
				return false, err
			}
		}
		done += len(rows)
		if page.Next.Zero() || limit > 0 && done >= limit {
			return len(rows) < len(page.Rows) || !page.Next.Zero(), nil
		}
		q.After = page.Next
	}
}

// TagAll tags the accounts of a filter, up to BulkLimit, and counts those that did
// not have the tag.
func (s *Service) TagAll(ctx context.Context, q AccountQuery, tag string) (n int, err error) {
	tag, err = ParseTag(tag)
	if err != nil {
		return 0, err
	}
	var ids []onboard.AppID // first all of them: tagging moves rows between pages
	_, err = s.EachAccount(ctx, q, BulkLimit, func(rows []Listed) error {
		for _, r := range rows {
			ids = append(ids, r.AppID)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for batch := range slices.Chunk(ids, writeAtOnce) {
		k, failed := s.store.SaveTag(ctx, batch, tag, ActorOf(ctx).Admin.Name, tagsLimit, s.now())
		if failed != nil {
			err = failed
			break
		}
		n += k
	}
	if err != nil { // those tagged before are tagged, and ctx may have ended
		ctx = context.WithoutCancel(ctx)
	}
	return n, errors.Join(err, s.Audit(ctx, Entry{Action: "account.tag_all", Target: tag, After: strconv.Itoa(n)}))
}

// Invitable reports whether a link to authorize again makes sense: nobody invites
// an account that the operator stopped, refused or has yet to decide about, and
// WeChat offers its owner none that is frozen, banned or closed.
func (s Status) Invitable() bool {
	switch s {
	case Undecided, Suspended, Stopped, Refused:
		return false
	}
	return true
}

// BulkPlan is what an act on all accounts of a filter would be about.
type BulkPlan struct {
	Accounts  int  // of the filter, up to BulkLimit
	Invitable int  // of those
	More      bool // the filter chooses more than BulkLimit
}

// PlanBulk counts the accounts of a filter.
func (s *Service) PlanBulk(ctx context.Context, q AccountQuery) (p BulkPlan, err error) {
	p.More, err = s.EachAccount(ctx, q, BulkLimit, func(rows []Listed) error {
		p.Accounts += len(rows)
		for _, r := range rows {
			if r.Status.Invitable() {
				p.Invitable++
			}
		}
		return nil
	})
	return p, err
}

// Inviter makes invites; [onboard.Service] is the one there is.
type Inviter interface {
	CreateInvites(ctx context.Context, all []onboard.Invitation) ([]onboard.Attempt, error)
}

// KeyBulkChanged says that the accounts of a filter are not those that were counted.
const KeyBulkChanged onboard.Key = "accounts.error.changed"

// InviteAll makes one invite to authorize again for each account of a filter that
// can be invited, up to BulkLimit, and returns the name of the batch. expect is how
// many the person was told; when there are others now, nothing is made.
func (s *Service) InviteAll(ctx context.Context, q AccountQuery, expect int, inviter Inviter) (batch string, n int, err error) {
	var all []Listed
	_, err = s.EachAccount(ctx, q, BulkLimit, func(rows []Listed) error {
		for _, r := range rows {
			if r.Status.Invitable() {
				all = append(all, r)
			}
		}
		return nil
	})
	if err != nil {
		return "", 0, err
	}
	if len(all) != expect || expect == 0 {
		return "", 0, onboard.Errorf(onboard.Invalid, KeyBulkChanged, "%d accounts, the person saw %d", len(all), expect)
	}
	batch = NewBatch()
	invitations := make([]onboard.Invitation, len(all))
	for i, r := range all {
		a, err := s.accountOr404(ctx, r.AppID)
		if err != nil {
			return "", 0, err
		}
		invitations[i] = s.invitation(ctx, a)
		invitations[i].Batch = batch
	}
	made, err := inviter.CreateInvites(ctx, invitations) // all of them or none
	if err != nil {
		return "", 0, err
	}
	return batch, len(made), s.Audit(ctx, Entry{Action: "account.invite_all", Target: batch, After: strconv.Itoa(len(made))})
}

// InviteAgain makes an invite by which a merchant authorizes an account again. One
// that invites were made for and that never was authorized can be invited as well.
func (s *Service) InviteAgain(ctx context.Context, appID onboard.AppID, inviter Inviter) (onboard.Attempt, error) {
	d, err := s.AccountDetail(ctx, appID)
	if err != nil {
		return onboard.Attempt{}, err
	}
	v := s.invitation(ctx, d.Account)
	if d.Status == NeverDone {
		last := d.Attempts[0]
		v.Wish = onboard.Wish{AuthType: last.AuthType, BizAppID: appID, Wanted: last.Wanted}
		v.Recipient, v.Reference = last.Recipient, last.Reference
	}
	made, err := inviter.CreateInvites(ctx, []onboard.Invitation{v})
	if err != nil {
		return onboard.Attempt{}, err
	}
	return made[0], s.Audit(ctx, Entry{Action: ActInvite, Target: string(appID), After: made[0].ID})
}

// ActInvite is the action of an invite to authorize again.
const ActInvite = "account.invite"

// invitation asks an account to authorize again.
func (s *Service) invitation(ctx context.Context, a onboard.Account) onboard.Invitation {
	v := onboard.Invitation{Wish: onboard.Reauthorization(a), Recipient: a.Profile.Nickname, InvitedBy: ActorOf(ctx).Admin.Name}
	v.Language = s.Settings().Language
	return v
}
