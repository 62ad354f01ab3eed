package onboard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"usher/internal/failpoint"
	"usher/internal/rescue"
)

const (
	arrivalBatch    = 64
	arrivalsAtOnce  = 8
	arrivalMaxTries = 12            // then it waits for a person,
	arrivalLeast    = 2 * time.Hour // but not sooner: an outage uses up tries, after which one failure proves little
	arrivalPanics   = 6             // tries after which one that ends in a panic waits for a person
	notYetPause     = 2 * time.Second
	arrivalPatience = provenFailed // with failures that are not the arrival's, such as WeChat being away
)

// HandleArrivals does what stored pushes and redirects ask for, until none is
// due. It is safe to call from several goroutines and processes.
func (s *Service) HandleArrivals(ctx context.Context) error { return s.handleArrivals(ctx, "") }

// handleArrivals limits itself to the arrivals of one code unless codeHash is empty.
func (s *Service) handleArrivals(ctx context.Context, codeHash string) error {
	for {
		now := s.now()
		batch, err := s.store.ClaimArrivals(ctx, now, now.Add(ArrivalLease), arrivalBatch, codeHash)
		if err != nil || len(batch) == 0 {
			return err
		}
		failpoint.Hit("arrivals.after_claim")
		if err := s.handleBatch(ctx, batch); err != nil {
			return err
		}
		if len(batch) < arrivalBatch {
			return nil
		}
	}
}

// handleBatch handles arrivals of different accounts side by side and those of
// one account in the order of WeChat's clock.
func (s *Service) handleBatch(ctx context.Context, batch []Arrival) error {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		ends  []ArrivalEnd
		slots = make(chan struct{}, arrivalsAtOnce)
	)
	for _, group := range inOrder(batch) {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			done := s.handleGroup(ctx, group)
			mu.Lock()
			ends = append(ends, done...)
			mu.Unlock()
		})
	}
	wg.Wait()
	failpoint.Hit("arrivals.before_finish")
	err := s.finishArrivals(ctx, ends)
	failpoint.Hit("arrivals.after_finish")
	return err
}

// finishArrivals records what was done, even when ctx just ended. A database that
// does not take it, such as one that is being started again, is asked again for a
// while: otherwise what is done would wait for the end of its lease and be done
// once more.
func (s *Service) finishArrivals(ctx context.Context, ends []ArrivalEnd) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	for wait := 50 * time.Millisecond; ; wait *= 2 {
		err := s.store.FinishArrivals(ctx, ends, s.now())
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// handleGroup handles arrivals that belong together one after the other. Tickets
// begin with the newest; when that is dealt with, the others are history, and
// a backlog of them costs one write.
func (s *Service) handleGroup(ctx context.Context, group []Arrival) []ArrivalEnd {
	tickets := group[0].Type == TicketEvent
	if tickets {
		slices.Reverse(group)
	}
	ends := make([]ArrivalEnd, 0, len(group))
	for _, a := range group {
		if tickets && len(ends) > 0 && settled(ends[len(ends)-1]) {
			ends = append(ends, ArrivalEnd{ID: a.ID, Fence: a.Fence, Outcome: Ignored})
			continue
		}
		ends = append(ends, *s.handleOne(ctx, a))
	}
	return ends
}

// settled reports whether an arrival was dealt with and did not fail.
func settled(e ArrivalEnd) bool { return e.Outcome == Handled || e.Outcome == Ignored }

// inOrder groups arrivals by account or code, each group ascending by CreatedAt.
// A batch is claimed oldest first, so equal times keep the order of arrival.
func inOrder(batch []Arrival) [][]Arrival {
	index := make(map[string]int)
	var groups [][]Arrival
	for _, a := range batch {
		key := string(a.AppID)
		if key == "" {
			key = a.CodeHash + string(a.Type)
		}
		i, ok := index[key]
		if !ok {
			i = len(groups)
			index[key] = i
			groups = append(groups, nil)
		}
		g := append(groups[i], a)
		for j := len(g) - 1; j > 0 && g[j].CreatedAt.Before(g[j-1].CreatedAt); j-- {
			g[j], g[j-1] = g[j-1], g[j]
		}
		groups[i] = g
	}
	return groups
}

// handleOne handles one arrival and says how it ended. A panic, which only a bug
// can cause, parks the arrival in the end instead of ending the process.
func (s *Service) handleOne(ctx context.Context, a Arrival) *ArrivalEnd {
	end := &ArrivalEnd{ID: a.ID, Fence: a.Fence, AppID: a.AppID}
	err := rescue.Do(func() (err error) {
		end.Outcome, end.AppID, err = s.act(ctx, a)
		return err
	})
	if err == nil {
		return end
	}
	end.Outcome = ""
	age := s.now().Sub(a.ReceivedAt)
	tried := a.Tries >= arrivalMaxTries && age >= arrivalLeast
	if rescue.Is(err) {
		tried = a.Tries >= arrivalPanics
	}
	switch {
	case errors.Is(err, errNotYet): // a try that fails after that must not wait as if it were the tenth
		end.Untried, end.RetryAt = true, s.now().Add(backoff(1, notYetPause, notYetPause))
	case tried && !(passing(err) && age < arrivalPatience):
		end.Outcome = Parked
	default:
		end.RetryAt = s.now().Add(backoff(a.Tries, time.Second, 10*time.Minute))
	}
	end.Reason = reason(err)
	level := slog.LevelWarn
	switch {
	case errors.Is(err, errNotYet):
		level = slog.LevelDebug // redirect and push come at the same time: the usual course
	case rescue.Is(err):
		level = slog.LevelError
	}
	s.log.Log(ctx, level, "handling an arrival failed", append(rescue.Attrs(err), "type", string(a.Type), "appid", string(a.AppID),
		"attempt", a.AttemptID, "tries", a.Tries, "parked", end.Outcome == Parked)...)
	return end
}

// act does what one arrival asks for. It returns the account that it was about.
func (s *Service) act(ctx context.Context, a Arrival) (outcome Outcome, appID AppID, err error) {
	event := Event{Type: RedirectEvent, CreatedAt: a.CreatedAt, AuthCode: a.Payload}
	if a.Type != RedirectEvent {
		if event, err = s.parse([]byte(a.Payload.Reveal())); err != nil {
			return "", a.AppID, err
		}
	}
	switch {
	case a.Type == TicketEvent:
		outcome, err = s.keepTicket(ctx, a, event)
	case a.Type == UnauthorizedEvent:
		outcome, err = s.revoke(ctx, a)
	case !event.AuthCode.Empty():
		return s.finish(ctx, a, event)
	default:
		outcome = Ignored
	}
	return outcome, a.AppID, err
}

// passing reports whether a failure is WeChat's or the platform's as a whole, or is
// no more than somebody else being at it, and ends without anybody looking at the
// arrival.
func passing(err error) bool {
	if errors.Is(err, errNotYet) {
		return true
	}
	if up, ok := errors.AsType[*UpstreamError](err); ok {
		return up.Reaction != CodeSpent && platformWide(up)
	}
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == Unavailable
}

// errNotYet gives an arrival back for a moment: somebody else holds the exchange.
var errNotYet = errors.New("another holder is at it")

// reason is what people may read of a failure: a class and WeChat's code.
func reason(err error) string {
	if up, ok := errors.AsType[*UpstreamError](err); ok {
		if up.Code != 0 {
			return fmt.Sprintf("%s %d rid %s", up.API, up.Code, up.RID)
		}
		return up.API + " gave no readable answer"
	}
	if errors.Is(err, errNotYet) {
		return "waiting"
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return string(e.Key)
	}
	return "internal"
}

// Reason is what people may read of a failure, as [ArrivalEnd] keeps it.
func Reason(err error) string { return reason(err) }

// backoff returns a wait that doubles with tries from first to limit, with full
// jitter over its upper half.
func backoff(tries int, first, limit time.Duration) time.Duration {
	d := limit
	if tries < 20 && first<<max(tries-1, 0) < limit {
		d = first << max(tries-1, 0)
	}
	return d/2 + rand.N(d/2+1)
}

// keepTicket stores a ticket and, when there was no platform token, gets one at
// once, so that waiting merchants go on.
func (s *Service) keepTicket(ctx context.Context, a Arrival, e Event) (Outcome, error) {
	failpoint.Hit("ticket.before_save")
	newest, err := s.store.SaveTicket(ctx, Ticket{Value: e.Ticket, CreatedAt: e.CreatedAt, ReceivedAt: a.ReceivedAt})
	if err != nil {
		return "", err
	}
	failpoint.Hit("ticket.after_save")
	if !newest {
		return Ignored, nil
	}
	if err := s.KeepPlatform(ctx); err != nil {
		// The ticket is kept; the token follows at the next turn of KeepPlatform.
		s.log.WarnContext(ctx, "no platform token after a ticket", "err", err)
	}
	return Handled, nil
}

// clockDoubt is how far our clock may be off WeChat's before an order by both
// clocks means something.
const clockDoubt = 10 * time.Minute

// revoke tombstones an account. An event that is older than the newest
// authorization changes nothing; where clocks cannot tell, WeChat's list decides.
func (s *Service) revoke(ctx context.Context, a Arrival) (Outcome, error) {
	account, err := s.store.Account(ctx, a.AppID)
	if err != nil && !errors.Is(err, ErrNoRow) {
		return "", err
	}
	at, gone := a.CreatedAt, false
	if err == nil && !at.After(account.AuthorizedAt) {
		inDoubt := at.Equal(account.AuthorizedAt) || account.LocalTime && account.AuthorizedAt.Sub(at) < clockDoubt
		if !inDoubt {
			return Ignored, nil
		}
		_, ok, err := s.listed(ctx, a.AppID, 0)
		if err != nil {
			return "", err
		}
		if ok {
			return Ignored, nil
		}
		gone = true
	}
	failpoint.Hit("revoke.before_save")
	var revoked bool
	if gone {
		revoked, err = s.store.SaveGone(ctx, a.AppID, account.AuthorizedAt, a.CreatedAt, s.now())
	} else {
		revoked, err = s.store.SaveRevoked(ctx, a.AppID, a.CreatedAt, s.now())
	}
	if err != nil {
		return "", err
	}
	failpoint.Hit("revoke.after_save")
	if !revoked {
		return Ignored, nil
	}
	s.tokens.drop(a.AppID)
	s.log.InfoContext(ctx, "a merchant withdrew", "appid", string(a.AppID))
	return Handled, nil
}
