package styleguide

import (
	"time"

	"usher/internal/onboard"
)

// now is when every scene is looked at: 22 November 2026, 10:34 in China.
var now = time.Date(2026, 11, 22, 2, 34, 0, 0, time.UTC)

// Words are the texts of a scene that come from outside: Kind ones for looking at,
// hostile ones for tests.
type Words struct {
	Nickname, Other, Principal, Category, Recipient, Brand, Contact, Typed string
	// Picture is the hash of the accounts' picture; empty shows a letter.
	Picture string
}

// Kind are words as an ordinary merchant has them.
var Kind = Words{
	Nickname: "山茶花茶舍", Other: "山茶花外卖", Principal: "杭州山茶花茶业有限公司", Category: "餐饮",
	Recipient: "林小雨", Brand: "青禾云", Contact: "0571-5555 0100", Typed: "wx8f2c",
}

// The addresses that the scenes are about.
const (
	attemptID  = "06DNB3V8ZKQ2M7XH4T1C9RWAFS"
	phoneCode  = "7K3M9Q2X"
	inviteCode = "VX4T9K2M7Q"
	token      = "9b8f4c1d2e3a5b6c7d8e9f00"
	origin     = "https://open.example.com"
)

// miniProgram is the account most scenes are about.
func miniProgram(w Words) *onboard.Account {
	return &onboard.Account{
		AppID: "wx8f2c40d1a7be91d0", Standing: onboard.Active,
		Profile: onboard.Profile{
			Kind: onboard.MiniProgram, Nickname: w.Nickname, Principal: w.Principal, HeadImageURL: "https://wx.qlogo.cn/" + w.Nickname,
			Verification: 0, Status: 1, Categories: []onboard.Category{{First: w.Category, Second: "茶饮"}},
		},
		ProfileAt: now.Add(-time.Minute), Picture: w.Picture,
		Grants:       onboard.Grants{{ID: 17}, {ID: 18}, {ID: 25}, {ID: 30, Confirm: &onboard.Confirm{Need: true, Can: true}}, {ID: 201}},
		AuthorizedAt: now.Add(-26 * time.Hour), AccessExpiresAt: now.Add(time.Hour),
	}
}

// attempt is an attempt begun two minutes before now, changed by change.
func attempt(w Words, change func(*onboard.Attempt)) onboard.Attempt {
	a := onboard.Attempt{
		ID: attemptID, PhoneCode: phoneCode, AuthType: onboard.MiniPrograms, BizAppID: "wx8f2c40d1a7be91d0",
		Wanted: []onboard.PermissionID{17, 18, 19, 25, 30, 40}, Language: "zh-CN",
		CreatedAt: now.Add(-2 * time.Minute), ExpiresAt: now.Add(28 * time.Minute),
	}
	if change != nil {
		change(&a)
	}
	return a
}

func opened(a *onboard.Attempt) { a.OpenedAt = a.CreatedAt.Add(30 * time.Second) }
func handedOff(a *onboard.Attempt) {
	opened(a)
	a.HandedOffAt, a.CodeEndsAt = a.CreatedAt.Add(time.Minute), a.CreatedAt.Add(30*time.Minute)
}
func noAnswer(a *onboard.Attempt) {
	handedOff(a)
	a.HandedOffAt = now.Add(-100 * time.Second)
}
func atWeChatsPage(a *onboard.Attempt) {
	a.HandedOffAt, a.CodeEndsAt = a.CreatedAt.Add(time.Minute), a.CreatedAt.Add(30*time.Minute)
}
func exchanging(a *onboard.Attempt) {
	handedOff(a)
	a.ArrivedAt = now.Add(-time.Second)
}
func expired(a *onboard.Attempt) {
	a.ExpiresAt = now.Add(-time.Minute)
	if !a.Invite() {
		a.CreatedAt = a.ExpiresAt.Add(-onboard.DeskLife)
	}
}
func invite(a *onboard.Attempt) {
	a.InviteCode, a.ExpiresAt = inviteCode, now.Add(7*24*time.Hour)
}
func blocked(key onboard.Key) func(*onboard.Attempt) {
	return func(a *onboard.Attempt) { opened(a); a.Blocked, a.BlockedAt = key, now }
}
func decided(v onboard.Verdict) func(*onboard.Attempt) {
	return func(a *onboard.Attempt) {
		exchanging(a)
		a.FinishedAt, a.Verdict, a.AppID = now, v, "wx8f2c40d1a7be91d0"
		switch v {
		case onboard.Missing:
			a.Missing = []onboard.PermissionID{19, 40}
		case onboard.Updated:
			a.Added, a.Removed = []onboard.PermissionID{19, 201}, []onboard.PermissionID{17}
		case onboard.WrongAccount:
			a.AppID = "wx1111111111111111"
		}
	}
}
func both(changes ...func(*onboard.Attempt)) func(*onboard.Attempt) {
	return func(a *onboard.Attempt) {
		for _, change := range changes {
			change(a)
		}
	}
}
