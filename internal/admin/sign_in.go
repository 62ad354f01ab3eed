package admin

import (
	"context"
	"errors"
	"strings"
	"time"

	"usher/internal/onboard"
)

func isNoRow(err error) bool { return errors.Is(err, onboard.ErrNoRow) }

// Tries without success are forgotten after tryMemory of quiet.
const tryMemory = 24 * time.Hour

// A network from which an admin signed in is known for networkMemory.
const networkMemory = 30 * 24 * time.Hour

// tryDelay is how long to wait after the n-th try in a row without success:
// nothing for the first four, then 2, 4, 8 … seconds up to 15 minutes. It is never
// for ever, which would let a stranger lock an admin out.
func tryDelay(n int) time.Duration {
	const free, longest = 4, 15 * time.Minute
	if n <= free {
		return 0
	}
	if n > free+10 {
		return longest
	}
	return min(time.Second<<(n-free), longest)
}

// Entrance is the outcome of a sign-in.
type Entrance struct {
	Token   string // what the browser has to hold; new at every step
	Admin   Admin
	Pending bool      // the second factor is asked for next
	RetryAt time.Time // when the error says to slow down
}

// SignIn checks name and password. A wrong name costs the same and is told the
// same as a wrong password. When tries have to wait the error is Limited.
func (s *Service) SignIn(ctx context.Context, name, password string) (Entrance, error) {
	key := NameKey(name)
	nameTry, err := s.nameTry(ctx, key)
	if err != nil {
		return Entrance{}, err
	}
	netTry := s.tryKey("network", ActorOf(ctx).Network)
	if until, err := s.claimTry(ctx, nameTry, netTry); err != nil {
		return Entrance{RetryAt: until}, err
	}
	a, err := s.store.AdminByKey(ctx, key)
	if err != nil && !isNoRow(err) {
		return Entrance{}, err
	}
	ok, err := s.passwords.verify(ctx, a.Password, password)
	if err != nil {
		return Entrance{}, err
	}
	if !ok {
		// Who typed the password into the wrong field must not find it in the audit:
		// only a name that exists is written down.
		refused := Entry{Action: "session.refuse", Target: a.Name}
		return Entrance{}, errors.Join(onboard.Errorf(onboard.Invalid, KeySignIn, "wrong name or password"), s.Audit(ctx, refused))
	}
	if a.TOTP.Empty() {
		if err := s.store.ForgiveTry(ctx, []string{nameTry}, []string{netTry}); err != nil {
			return Entrance{}, err
		}
	}
	if outdated(a.Password) {
		if hash, err := s.passwords.hash(ctx, password); err == nil {
			a.Password = hash
			if err := s.store.SaveAdmin(ctx, a); err != nil && !errors.Is(err, onboard.ErrFenced) {
				return Entrance{}, err
			}
		}
	}
	if !a.TOTP.Empty() {
		token, err := s.begin(ctx, a, true)
		return Entrance{Token: token, Admin: a, Pending: true}, err
	}
	return s.enter(ctx, a)
}

// nameTry is the key by which the tries of a name are counted. Guesses from all over
// the world count together; but they must not keep the admin out, so a network from
// which the admin has signed in is counted by itself.
func (s *Service) nameTry(ctx context.Context, key string) (string, error) {
	known, err := s.store.Known(ctx, s.knownKey(ctx, key), s.now().Add(-networkMemory))
	if known {
		return s.tryKey("name at network", key+"\x00"+ActorOf(ctx).Network), err
	}
	return s.tryKey("name", key), err
}

// knownKey names an admin and the network of a request.
func (s *Service) knownKey(ctx context.Context, nameKey string) string {
	return s.tryKey("known", nameKey+"\x00"+ActorOf(ctx).Network)
}

// by begins a row of the audit about what a did, who is not signed in yet or any more.
func by(a Admin, action, target string) Entry {
	return Entry{ActorID: a.ID, Actor: a.Name, Action: action, Target: target}
}

// enter begins a session of somebody who proved everything.
func (s *Service) enter(ctx context.Context, a Admin) (Entrance, error) {
	token, err := s.begin(ctx, a, false)
	if err != nil {
		return Entrance{}, err
	}
	if err := s.store.SaveSignedIn(ctx, a.ID, s.now()); err != nil {
		return Entrance{}, err
	}
	if ActorOf(ctx).Network != "" {
		if err := s.store.SaveKnown(ctx, s.knownKey(ctx, NameKey(a.Name)), s.now()); err != nil {
			return Entrance{}, err
		}
	}
	return Entrance{Token: token, Admin: a}, s.Audit(ctx, by(a, "session.begin", a.Name))
}

// begin stores a new session under a new id.
func (s *Service) begin(ctx context.Context, a Admin, pending bool) (token string, err error) {
	token = newToken()
	now := s.now()
	life := SessionLife
	if pending {
		life = codeLife
	}
	from := ActorOf(ctx)
	browser := strings.ToValidUTF8(from.Browser[:min(len(from.Browser), 200)], "") // any bytes, and cut anywhere
	return token, s.store.SaveSession(ctx, Session{
		ID: newID(), Hash: s.sessionHash(token), AdminID: a.ID, Pending: pending,
		CreatedAt: now, SeenAt: now, EndsAt: now.Add(life), Address: from.Address, Browser: browser,
	})
}

func (s *Service) sessionHash(token string) string { return s.hasher.Hash(purposeSession, token) }

func (s *Service) tryKey(kind, value string) string {
	return s.hasher.Hash(purposeTry, kind+"\x00"+value)
}

// claimTry counts a try; the error is Limited while one of the keys has to wait.
func (s *Service) claimTry(ctx context.Context, keys ...string) (time.Time, error) {
	until, err := s.store.ClaimTry(ctx, keys, s.now(), tryMemory, tryDelay)
	if err == nil && !until.IsZero() {
		err = onboard.Errorf(onboard.Limited, KeySlowDown, "too many tries to sign in")
	}
	return until, err
}

// ErrSignedOut means that a token opens no session that counts.
var ErrSignedOut = errors.New("signed out")

// Session reads the session of a token and its admin, or returns ErrSignedOut. It
// notes that the session was used.
func (s *Service) Session(ctx context.Context, token string) (Session, Admin, error) {
	session, a, err := s.Glance(ctx, token)
	if err != nil {
		return Session{}, Admin{}, err
	}
	if now := s.now(); now.Sub(session.SeenAt) >= touchEvery {
		if err := s.store.TouchSession(ctx, session.Hash, now); err != nil {
			return Session{}, Admin{}, err
		}
	}
	return session, a, nil
}

// Glance is Session for what a page asks by itself: it does not count as a use.
func (s *Service) Glance(ctx context.Context, token string) (Session, Admin, error) {
	session, a, err := s.session(ctx, token)
	if err == nil && session.Pending {
		err = ErrSignedOut
	}
	if err != nil {
		return Session{}, Admin{}, err
	}
	return session, a, nil
}

func (s *Service) session(ctx context.Context, token string) (Session, Admin, error) {
	if token == "" {
		return Session{}, Admin{}, ErrSignedOut
	}
	session, a, err := s.store.SessionByHash(ctx, s.sessionHash(token))
	if isNoRow(err) || err == nil && !session.Live(s.now()) {
		return Session{}, Admin{}, ErrSignedOut
	}
	return session, a, err
}

// SignOut ends the session of a token.
func (s *Service) SignOut(ctx context.Context, token string) error {
	session, a, err := s.session(ctx, token)
	if errors.Is(err, ErrSignedOut) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := s.store.EndSession(ctx, a.ID, session.ID); err != nil {
		return err
	}
	return s.Audit(ctx, by(a, "session.end", a.Name))
}

// SaveFlash keeps a text for the next page of a session; TakeFlash removes it.
func (s *Service) SaveFlash(ctx context.Context, session Session, text string) error {
	return s.store.SaveFlash(ctx, session.Hash, text)
}

// TakeFlash returns the text that waits for the next page, once.
func (s *Service) TakeFlash(ctx context.Context, session Session) (string, error) {
	return s.store.TakeFlash(ctx, session.Hash)
}
