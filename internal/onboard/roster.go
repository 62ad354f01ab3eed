package onboard

import (
	"context"
	"fmt"
	"time"

	"usher/internal/failpoint"
	"usher/internal/secret"
)

const rosterPage = 500 // the most that WeChat gives (40170 above)

// roster is WeChat's list of authorized accounts as this process last read it to
// the end. It keeps a burst of doubts from asking for the list each.
type roster struct {
	turn   chan struct{} // of one, for whoever reads or writes the rest
	readAt time.Time
	rows   map[AppID]Authorizer
}

// lock waits for its turn as long as ctx lasts: whoever has it may be waiting for
// WeChat.
func (r *roster) lock(ctx context.Context) error {
	select {
	case r.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *roster) unlock() { <-r.turn }

// listed looks an account up in WeChat's list, read to its end no longer ago
// than age. An error means that nothing is known; it is never taken as absence.
func (s *Service) listed(ctx context.Context, appID AppID, age time.Duration) (Authorizer, bool, error) {
	if err := s.roster.lock(ctx); err != nil { // also joins callers that want the list at once
		return Authorizer{}, false, err
	}
	defer s.roster.unlock()
	if s.roster.rows == nil || s.now().Sub(s.roster.readAt) > age {
		at := s.now()
		rows, err := s.readRoster(ctx, nil)
		if err != nil {
			return Authorizer{}, false, fmt.Errorf("reading the list of accounts: %w", err)
		}
		s.roster.rows, s.roster.readAt = rows, at
	}
	row, ok := s.roster.rows[appID]
	return row, ok, nil
}

// readRoster pages through the list. A list that ends before the total that
// WeChat states is refused: a partial read proves nothing. told, when not nil,
// hears after each page how much was read.
func (s *Service) readRoster(ctx context.Context, told func(read, total int)) (map[AppID]Authorizer, error) {
	rows := make(map[AppID]Authorizer)
	for offset := 0; ; {
		var page []Authorizer
		var total int
		err := s.withPlatformToken(ctx, func(token secret.Secret) (err error) {
			page, total, err = s.wechat.Authorizers(ctx, token, offset, rosterPage)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, row := range page {
			rows[row.AppID] = row
		}
		offset += len(page)
		if told != nil {
			told(offset, total)
		}
		switch {
		case offset >= total:
			return rows, nil
		case len(page) == 0:
			return nil, &UpstreamError{API: "api_get_authorizer_list", Reaction: Backoff,
				Err: fmt.Errorf("the list ended after %d of %d rows", offset, total)}
		}
	}
}

// recover gets the authorization of an account whose code was spent without a
// stored answer. It fails with CodeSpent when the account is not listed as
// authorized since then.
func (s *Service) recover(ctx context.Context, appID AppID, since time.Time) (Authorization, error) {
	row, ok, err := s.listed(ctx, appID, 0) // one of a moment ago may lack what was authorized since
	if err != nil {
		return Authorization{}, err
	}
	failpoint.Hit("recover.after_list")
	if !ok || row.AuthorizedAt.Before(since.Add(-clockDoubt)) {
		return Authorization{}, &UpstreamError{API: "api_get_authorizer_list", Reaction: CodeSpent,
			Err: fmt.Errorf("%s is not listed as authorized since then", appID)}
	}
	auth, err := s.regain(ctx, row)
	auth.At = row.AuthorizedAt
	return auth, err
}
