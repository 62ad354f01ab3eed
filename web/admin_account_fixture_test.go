package web

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/simulator"
)

// account is an account of the console's world, known to WeChat's stand-in by the
// same AppID, that lacks one of the sets it was asked for.
func (w *consoleWorld) account() onboard.AppID {
	w.Helper()
	return w.authorize(simulator.TeaHouse, "山茶花茶舍", nil)
}

// authorize has an account arrive with a name; change alters how.
func (w *consoleWorld) authorize(id onboard.AppID, name string, change func(*onboard.Arrived)) onboard.AppID {
	w.Helper()
	if a, err := w.db.Account(w.Context(), id); err == nil && a.Standing != "" && change == nil {
		return id // made for the route before
	}
	code := fmt.Sprintf("code %s %d", id, time.Now().UnixNano())
	claim, err := w.db.ClaimExchange(w.Context(), code, "", w.now, w.now.Add(time.Minute))
	w.ok(err)
	a := onboard.Arrived{
		CodeHash: code, Fence: claim.Fence, AppID: id, Grants: onboard.Grants{{ID: 17}, {ID: 18}}, Wanted: []onboard.PermissionID{17, 18, 19},
		Tokens: onboard.Tokens{Access: secret.New("accesscanary" + string(id)), Life: 2 * time.Hour, Refresh: secret.New("refreshcanary" + string(id))},
		At:     w.now.Truncate(time.Second), Standing: onboard.Active, DueAt: w.now.Add(80 * time.Minute), Now: w.now,
	}
	if change != nil {
		change(&a)
	}
	_, err = w.db.FinishExchange(w.Context(), a)
	w.ok(err)
	w.ok(w.db.SaveProfile(w.Context(), id, onboard.Profile{Kind: onboard.MiniProgram, Nickname: name, OriginalID: "gh_" + string(id)[2:8], Principal: "杭州山茶花", Status: 1}, w.now))
	return id
}

// batch makes invites for all accounts that can be invited.
func (w *consoleWorld) batch() string {
	w.Helper()
	w.account()
	plan, err := w.site.Console.PlanBulk(w.Context(), admin.AccountQuery{})
	w.ok(err)
	batch, _, err := w.site.Console.InviteAll(admin.With(w.Context(), admin.Actor{Admin: w.admins[admin.Owner]}), admin.AccountQuery{}, plan.Invitable, w.svc)
	w.ok(err)
	return batch
}

func init() {
	if _, other := adminObjects[":appid"]; !other { // an account that was put aside can be decided on too
		adminObjects[":appid"] = adminObject{func(w *consoleWorld) string { return string(w.account()) }, "wx00000000000fffff"}
	}
	adminObjects[":batch"] = adminObject{(*consoleWorld).batch, "ZZZZZZZZZZZZZZZZZZZZZZZZZZ"}
	adminForms["/admin/accounts/invite"] = adminForm{values: func(w *consoleWorld) url.Values {
		w.account()
		plan, err := w.site.Console.PlanBulk(w.Context(), admin.AccountQuery{})
		w.ok(err)
		return url.Values{"n": {strconv.Itoa(plan.Invitable)}}
	}}
	adminForms["/admin/accounts/tag"] = adminForm{values: func(w *consoleWorld) url.Values {
		w.account()
		return url.Values{"new_tag": {"重点"}}
	}}
	adminForms["/admin/accounts/:appid/notes"] = adminForm{values: func(*consoleWorld) url.Values { return url.Values{"note": {"电话打过了"}} }}
	adminForms["/admin/accounts/:appid/tags"] = adminForm{values: func(*consoleWorld) url.Values { return url.Values{"tag": {"重点"}} }}
	adminForms["/admin/accounts/:appid/tags/remove"] = adminForm{values: func(*consoleWorld) url.Values { return url.Values{"tag": {"重点"}} }}
}
