package views_test

import (
	"time"

	"github.com/a-h/templ"

	"usher/internal/onboard"
	"usher/views"
)

// now is when every scene is looked at: 22 November 2026, 10:34 in China.
var now = time.Date(2026, 11, 22, 2, 34, 0, 0, time.UTC)

// scene is one state of one page, as a merchant meets it.
type scene struct {
	name string
	page templ.Component
}

// words are the remote texts of a scene: kind ones for looking at, hostile ones
// for the test of escaping.
type words struct {
	nickname, other, principal, category, recipient, brand, contact, typed string
}

var kind = words{
	nickname: "山茶花茶舍", other: "山茶花外卖", principal: "杭州山茶花茶业有限公司", category: "餐饮",
	recipient: "林小雨", brand: "青禾云", contact: "0571-5555 0100", typed: "wx8f2c",
}

func page(w words, path string) views.Page {
	return views.Page{Brand: views.Brand{Name: w.brand, Contact: w.contact}, Path: path, Now: now, Reference: "R-8K2M"}
}

// miniProgram is the account most scenes are about.
func miniProgram(w words) *onboard.Account {
	return &onboard.Account{
		AppID: "wx8f2c40d1a7be91d0", Standing: onboard.Active,
		Profile: onboard.Profile{
			Kind: onboard.MiniProgram, Nickname: w.nickname, Principal: w.principal, HeadImageURL: "https://wx.qlogo.cn/" + w.nickname,
			Verification: 0, Status: 1, Categories: []onboard.Category{{First: w.category, Second: "茶饮"}},
		},
		ProfileAt:    now.Add(-time.Minute),
		Grants:       onboard.Grants{{ID: 17}, {ID: 18}, {ID: 25}, {ID: 30, Confirm: &onboard.Confirm{Need: true, Can: true}}, {ID: 201}},
		AuthorizedAt: now.Add(-26 * time.Hour), AccessExpiresAt: now.Add(time.Hour),
	}
}

// attempt is an attempt begun two minutes before now, changed by change.
func attempt(w words, change func(*onboard.Attempt)) onboard.Attempt {
	a := onboard.Attempt{
		ID: "06DNB3V8ZKQ2M7XH4T1C9RWAFS", PhoneCode: "7K3M9Q2X", AuthType: onboard.MiniPrograms, BizAppID: "wx8f2c40d1a7be91d0",
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
func expired(a *onboard.Attempt) { a.ExpiresAt = now.Add(-time.Minute) }
func invite(a *onboard.Attempt) {
	a.InviteCode, a.ExpiresAt = "VX4T9K2M7Q", now.Add(7*24*time.Hour)
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

var blockedKeys = []onboard.Key{
	onboard.KeyBlockedTicket, onboard.KeyBlockedCredentials, onboard.KeyBlockedIP,
	onboard.KeyBlockedQuota, onboard.KeyBlockedWeChat, onboard.KeyBlockedUnpublished,
}
