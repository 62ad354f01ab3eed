package simulator

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// A CallCount says how often an endpoint was called.
type CallCount struct {
	Total int `json:"total"` // every call, whatever became of it
	OK    int `json:"ok"`    // calls WeChat acted on, even when the answer was lost
	// Spoiled counts the calls in which a fault was more than a wait. A client may
	// have to ask again after each.
	Spoiled int `json:"spoiled,omitempty"`
}

// A Truth is what a correct client must hold, or be able to find out, now.
type Truth struct {
	Seed     int64                `json:"seed"`
	Now      time.Time            `json:"now"`
	Platform TruePlatform         `json:"platform"`
	Accounts []TrueAccount        `json:"accounts"` // those that are or were authorized
	Calls    map[string]CallCount `json:"calls"`    // by endpoint
	Pending  int                  `json:"pending"`  // pushes that are still to be sent or on their way
	Faults   Faults               `json:"faults"`
	Options  Options              `json:"options"`
	Pushes   []Delivery           `json:"pushes"` // the latest, oldest first
}

// TruePlatform is the platform's own state.
type TruePlatform struct {
	AppID                  string    `json:"appid"`
	Ticket                 string    `json:"ticket"` // the newest; empty before the first
	TicketAt               time.Time `json:"ticketAt,omitzero"`
	PlatformToken          string    `json:"platformToken"` // the newest; empty before the first
	PlatformTokenExpiresAt time.Time `json:"platformTokenExpiresAt,omitzero"`
	PermissionSets         []int     `json:"permissionSets"`
}

// TrueAccount is what an account has granted.
type TrueAccount struct {
	AppID                string    `json:"appid"`
	UserName             string    `json:"userName"`
	Nickname             string    `json:"nickname"`
	Authorized           bool      `json:"authorized"`
	AuthorizedAt         time.Time `json:"authorizedAt,omitzero"`
	Permissions          []int     `json:"permissions,omitempty"` // in order of id, as func_info lists them
	PreAuthCode          string    `json:"preAuthCode,omitempty"` // of the link that was used
	RefreshToken         string    `json:"refreshToken,omitempty"`
	RefreshTokenDead     bool      `json:"refreshTokenDead,omitempty"` // see KillRefreshToken
	AccessToken          string    `json:"accessToken,omitempty"`      // the newest handed out
	AccessTokenExpiresAt time.Time `json:"accessTokenExpiresAt,omitzero"`
}

// Truth returns the state of the world, secrets included.
func (s *Simulator) Truth() Truth {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := Truth{
		Seed: s.cfg.Seed, Now: s.now(),
		Platform: TruePlatform{AppID: s.cfg.AppID, PlatformToken: s.platformToken, PermissionSets: slices.Clone(s.cfg.PermissionSets)},
		Accounts: []TrueAccount{}, Calls: map[string]CallCount{}, Pending: len(s.queue) + s.onItsWay,
		Faults:  s.faults.clone(),
		Options: s.options, Pushes: slices.Clone(s.deliveries),
	}
	if n := len(s.tickets); n > 0 {
		t.Platform.Ticket, t.Platform.TicketAt = s.tickets[n-1].value, s.tickets[n-1].at
	}
	if live := s.platformTokens[s.platformToken]; live != nil {
		t.Platform.PlatformTokenExpiresAt = live.end()
	}
	for _, a := range s.accounts {
		if a.held {
			t.Accounts = append(t.Accounts, s.trueAccount(a))
		}
	}
	for path, n := range s.calls {
		t.Calls[path] = *n
	}
	return t
}

func (s *Simulator) trueAccount(a *account) TrueAccount {
	t := TrueAccount{AppID: a.appID, UserName: a.userName, Nickname: a.nickname}
	g := a.grant
	if g == nil {
		return t
	}
	t.Authorized, t.AuthorizedAt, t.Permissions, t.PreAuthCode = true, g.at, slices.Clone(g.sets), g.preAuthCode
	if !a.noAPI {
		t.RefreshToken, t.RefreshTokenDead, t.AccessToken = g.refresh, g.broken, g.access
	}
	if live := s.accessTokens[g.access]; live != nil {
		t.AccessTokenExpiresAt = live.end()
	}
	return t
}

// end is when the token stops working, by age or by replacement.
func (t *liveToken) end() time.Time {
	if !t.dies.IsZero() && t.dies.Before(t.expires) {
		return t.dies
	}
	return t.expires
}

// Account returns the truth about one account; ok is false when there is no
// such account.
func (s *Simulator) Account(appID string) (t TrueAccount, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(appID)
	if a == nil {
		return TrueAccount{}, false
	}
	return s.trueAccount(a), true
}

// Works reports whether an access token or platform token is accepted now.
func (s *Simulator) Works(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.accessTokens[token]
	if t == nil {
		t = s.platformTokens[token]
	}
	return t != nil && t.check(s.now()) == nil
}

// Calls returns how often the endpoint at path was called, whatever became of
// the calls.
func (s *Simulator) Calls(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.calls[path]; n != nil {
		return n.Total
	}
	return 0
}

// Spoiled returns how many calls of the endpoint at path met a fault that was more
// than a wait; those of all endpoints when path is empty.
func (s *Simulator) Spoiled(path string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, count := range s.calls {
		if path == "" || path == at {
			n += count.Spoiled
		}
	}
	return n
}

// Endpoints lists the paths of the server APIs in alphabetical order.
func (s *Simulator) Endpoints() []string { return slices.Sorted(maps.Keys(s.endpoints)) }

func (s *Simulator) truthPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, encodeJSON(s.Truth()))
}
