package onboard

import (
	"context"
	"errors"
	"time"

	"usher/internal/failpoint"
	"usher/internal/rescue"
	"usher/internal/secret"
)

const (
	redirectPatience = 3 * time.Second  // how long a browser that came back waits for the exchange
	exchangeTime     = 20 * time.Second // for one exchange, answer stored; below the lease
	lateRedirect     = 2 * time.Hour    // after its hand-off ended a redirect cannot bring a live code
)

// ArrivalLease is how long one try to handle an arrival has it for itself.
const ArrivalLease = 45 * time.Second

// Redirected takes a browser that came back from WeChat: it stores the code
// durably before anything else, begins the exchange and waits for it up to three
// seconds. It returns the attempt whose page tells the rest. A nil error does not
// mean that the exchange succeeded. The code alone binds nothing: state decides,
// and a push that names another attempt overrules it.
func (s *Service) Redirected(ctx context.Context, state string, code secret.Secret) (attemptID string, err error) {
	h, err := s.store.HandoffByState(ctx, s.hasher.Hash(purposeState, state))
	if errors.Is(err, ErrNoRow) {
		return "", Errorf(NotFound, KeyNotFound, "redirect with an unknown state")
	}
	if err != nil {
		return "", err
	}
	now := s.now()
	if now.After(h.ExpiresAt.Add(lateRedirect)) {
		return "", Errorf(Expired, KeyExpired, "redirect %v after its hand-off ended", now.Sub(h.ExpiresAt))
	}
	if code.Empty() || len(code.Reveal()) > 1024 {
		return "", Errorf(Invalid, KeyNotFound, "redirect with a code of %d bytes", len(code.Reveal()))
	}
	codeHash := s.hasher.Hash(purposeCode, code.Reveal())
	failpoint.Hit("redirect.before_save")
	if _, err := s.store.SaveArrival(ctx, Arrival{
		Digest: s.hasher.Hash("redirect", h.ID+" "+codeHash), Type: RedirectEvent, CodeHash: codeHash,
		HandoffID: h.ID, AttemptID: h.AttemptID, CreatedAt: now, ReceivedAt: now, Payload: code,
		Masked: s.Masked([]Field{{Name: "auth_code", Hidden: code}}),
	}); err != nil {
		return "", err
	}
	failpoint.Hit("redirect.after_save")
	s.hub.wake(h.AttemptID)
	changes, stop := s.hub.watch(h.AttemptID)
	defer stop()
	done := s.handleDetached(ctx, codeHash, "attempt", h.AttemptID)
	patience := time.NewTimer(redirectPatience)
	defer patience.Stop()
	for {
		select {
		case <-done:
			done = nil // the push may hold the exchange: then changes tells its end
		case <-changes:
		case <-patience.C:
			return h.AttemptID, nil
		case <-ctx.Done():
			return h.AttemptID, nil
		}
		if s.told(ctx, h.AttemptID) {
			return h.AttemptID, nil
		}
	}
}

// handleDetached handles the arrivals of a code beside whoever asks for it: an
// exchange that has begun must end even when the browser leaves. done is closed at
// the end, attrs are for the log.
func (s *Service) handleDetached(ctx context.Context, codeHash string, attrs ...any) (done <-chan struct{}) {
	ended := make(chan struct{})
	s.work.Go(func() {
		defer close(ended)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTime)
		defer cancel()
		if err := rescue.Do(func() error { return s.handleArrivals(ctx, codeHash) }); err != nil {
			s.log.ErrorContext(ctx, "handling an arrival failed", append(rescue.Attrs(err), attrs...)...)
		}
	})
	return ended
}

// told reports whether the page of an attempt has something to say: it is blocked,
// or it is finished and the account has a name.
func (s *Service) told(ctx context.Context, id string) bool {
	a, err := s.store.Attempt(ctx, id)
	if err != nil || a.Blocked != "" {
		return true
	}
	if a.FinishedAt.IsZero() {
		return false
	}
	account, err := s.store.Account(ctx, a.AppID)
	return err != nil || !account.ProfileAt.IsZero()
}

// ReceivePush stores a verified push. When it returns nil the push is durable
// and WeChat may be told "success"; the work follows later.
func (s *Service) ReceivePush(ctx context.Context, p Push) error {
	a := Arrival{
		Digest: p.Digest, Type: p.Event.Type, AppID: p.Event.AppID,
		CreatedAt: p.Event.CreatedAt, ReceivedAt: s.now(), Payload: p.Payload,
	}
	if !p.Event.AuthCode.Empty() {
		a.CodeHash = s.hasher.Hash(purposeCode, p.Event.AuthCode.Reveal())
	}
	if !p.Event.PreAuth.Empty() {
		h, err := s.store.HandoffByCode(ctx, s.hasher.Hash(purposePreAuth, p.Event.PreAuth.Reveal()))
		switch {
		case err == nil:
			a.HandoffID, a.AttemptID = h.ID, h.AttemptID
		case !errors.Is(err, ErrNoRow): // none: authorized without a link of ours
			return err
		}
	}
	if s.fields != nil {
		a.Masked = s.Masked(s.fields([]byte(p.Payload.Reveal())))
	}
	failpoint.Hit("push.before_save")
	isNew, err := s.store.SaveArrival(ctx, a)
	if err != nil {
		return err
	}
	failpoint.Hit("push.after_save")
	if isNew {
		s.hub.wake(a.AttemptID)
		s.wakeArrivals()
	}
	return nil
}
