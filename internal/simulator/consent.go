package simulator

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
)

// A consentView is what the consent page shows.
type consentView struct {
	ID       string
	Problem  string
	Platform string
	Accounts []accountView
	Sets     []setView
	Taken    []takenView
}

type accountView struct {
	AppID, Nickname, Kind, Principal, Head string
	Checked, Authorized                    bool
}

type setView struct {
	ID        int
	Name      string
	Kinds     string
	Exclusive bool
}

// A takenView is a set that one of the accounts cannot grant because another
// platform holds it.
type takenView struct {
	ID                     int
	Name, Nickname, Holder string
}

// consentForm is the phone's page after scanning the PC page's code.
func (s *Simulator) consentForm(w http.ResponseWriter, r *http.Request) {
	if sc := s.scanOf(w, r); sc != nil {
		s.showConsent(w, sc, "")
	}
}

func (s *Simulator) showConsent(w http.ResponseWriter, sc *scan, problem string) {
	s.mu.Lock()
	no := s.checkPreAuthCode(sc.preAuthCode)
	var list []*account
	if no == nil {
		list, no = s.candidates(sc)
	}
	if no != nil {
		s.mu.Unlock()
		s.refuse(w, no)
		return
	}
	view := consentView{ID: sc.id, Problem: problem, Platform: s.cfg.AppID}
	var offered []permissionSet
	for i, a := range list {
		free, taken := a.offer(sc.wanted, s.cfg.PermissionSets)
		offered = append(offered, free...)
		for _, p := range taken {
			view.Taken = append(view.Taken, takenView{p.id, p.name, a.nickname, a.heldElsewhere[p.id]})
		}
		view.Accounts = append(view.Accounts, accountView{
			AppID: a.appID, Nickname: a.nickname, Kind: a.kindName(), Principal: a.principal,
			Head: "/sim/head/" + a.appID + ".png", Checked: i == 0, Authorized: a.grant != nil,
		})
	}
	s.mu.Unlock()
	for _, p := range permissionSets() {
		if slices.ContainsFunc(offered, func(o permissionSet) bool { return o.id == p.id }) {
			view.Sets = append(view.Sets, setView{p.id, p.name, kindNames(p.kinds), p.exclusive})
		}
	}
	s.render(w, http.StatusOK, "consent.html", view)
}

// consentAnswer is the press of 同意授权. Ticked sets that the chosen account
// cannot grant are left out, as the one form shows those of all accounts.
func (s *Simulator) consentAnswer(w http.ResponseWriter, r *http.Request) {
	sc := s.scanOf(w, r)
	if sc == nil {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		s.refuse(w, &refusal{badParameter, "表单无法读取"})
		return
	}
	if r.PostForm.Get("person") == "nobody" {
		s.refuse(w, s.notAdmin(sc))
		return
	}
	s.mu.Lock()
	ids := s.ticked(sc, r.PostForm["account"], r.PostForm["permission"])
	to, err := s.agree(sc, r.PostForm.Get("account"), ids)
	s.mu.Unlock()
	if err != nil {
		text := err.Error()
		if no, ok := errors.AsType[*refusal](err); ok {
			text = no.text
		}
		s.showConsent(w, sc, text) // which shows a refusal itself when the code is over
		return
	}
	if sc.desktop || to == "" {
		s.render(w, http.StatusOK, "agreed.html", map[string]bool{"Desktop": sc.desktop})
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// cancelPage is what 取消 leads to: nothing happens, and nobody is told.
func (s *Simulator) cancelPage(w http.ResponseWriter, r *http.Request) {
	if sc := s.scanOf(w, r); sc != nil {
		s.render(w, http.StatusOK, "cancelled.html", map[string]string{"ID": sc.id})
	}
}

// ticked keeps the ids that the chosen account can grant. It is never nil, since
// nil means all.
func (s *Simulator) ticked(sc *scan, chosen, ids []string) []int {
	kept := []int{}
	if len(chosen) != 1 {
		return kept
	}
	a := s.account(chosen[0])
	if a == nil {
		return kept
	}
	free, _ := a.offer(sc.wanted, s.cfg.PermissionSets)
	for _, v := range ids {
		id, err := strconv.Atoi(v)
		if err == nil && slices.ContainsFunc(free, func(p permissionSet) bool { return p.id == id }) {
			kept = append(kept, id)
		}
	}
	return kept
}

// kindName names the kind as the chooser does.
func (a *account) kindName() string {
	switch {
	case a.kind == OfficialAccount && a.serviceType == 2:
		return "服务号"
	case a.kind == OfficialAccount:
		return "订阅号"
	case a.kind == MiniProgram && a.serviceType == 10:
		return "小商店"
	}
	return a.kind.String()
}

func kindNames(kinds []Kind) string {
	var text string
	for i, k := range kinds {
		if i > 0 {
			text += "、"
		}
		text += k.String()
	}
	return text
}
