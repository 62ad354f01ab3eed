package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// An action is what one POST of the control page does; see controlHandler.
type action func(*http.Request, url.Values) error

// controlHandler serves /control, its actions and /truth. The actions take
// ordinary form fields, so that the page needs no script and curl no JSON; only
// /control/faults takes JSON as well.
func (s *Simulator) controlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler("/control", http.StatusFound))
	mux.HandleFunc("GET /control", s.controlPage)
	mux.HandleFunc("GET /truth", s.truthPage)
	for name, do := range map[string]action{
		"ticket":       func(r *http.Request, _ url.Values) error { return s.PushTicket(r.Context()) },
		"revoke":       func(r *http.Request, f url.Values) error { return s.Revoke(r.Context(), f.Get("appid")) },
		"permissions":  s.permissionsAction,
		"silent":       s.silentAction,
		"expire":       func(_ *http.Request, f url.Values) error { return s.ExpireAccessToken(f.Get("appid")) },
		"kill-refresh": func(_ *http.Request, f url.Values) error { return s.KillRefreshToken(f.Get("appid")) },
		"replace-refresh": func(_ *http.Request, f url.Values) error {
			return s.ReplaceRefreshToken(f.Get("appid"))
		},
		"invalidate": func(*http.Request, url.Values) error { s.InvalidatePlatformToken(); return nil },
		"secret":     func(*http.Request, url.Values) error { s.RotateSecret(); return nil },
		"clock":      s.clockAction,
		"fault":      s.faultAction,
		"faults":     s.faultsAction,
		"push":       s.pushAction,
		"options":    s.optionsAction,
	} {
		mux.HandleFunc("POST /control/"+name, func(w http.ResponseWriter, r *http.Request) { s.act(w, r, do) })
	}
	// A page elsewhere must not be able to press these buttons.
	return http.NewCrossOriginProtection().Handler(mux)
}

// act runs an action and answers a browser with the control page, anything else
// with JSON.
func (s *Simulator) act(w http.ResponseWriter, r *http.Request, do action) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	isJSON := strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
	var err error
	if !isJSON {
		err = r.ParseForm()
	}
	if err == nil {
		err = do(r, r.PostForm)
	}
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		said := "完成"
		if err != nil {
			said = err.Error()
		}
		http.Redirect(w, r, "/control?"+url.Values{"said": {said}}.Encode(), http.StatusSeeOther)
		return
	}
	answer := object{"ok": err == nil}
	if err != nil {
		answer["error"] = err.Error()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
	}
	writeJSON(w, encodeJSON(answer))
}

// idList reads "1, 18|30" in any of those separators; empty is nil.
func idList(text string) ([]int, error) {
	var ids []int
	for _, f := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,|，、", r) }) {
		id, err := strconv.Atoi(f)
		if err != nil {
			return nil, fmt.Errorf("permission set %q is not a number", f)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (s *Simulator) permissionsAction(r *http.Request, f url.Values) error {
	ids, err := idList(f.Get("ids"))
	if err != nil {
		return err
	}
	return s.ChangePermissions(r.Context(), f.Get("appid"), ids)
}

func (s *Simulator) silentAction(r *http.Request, f url.Values) error {
	ids, err := idList(f.Get("ids"))
	if err != nil {
		return err
	}
	return s.AuthorizeSilently(r.Context(), f.Get("appid"), ids)
}

func (s *Simulator) clockAction(_ *http.Request, f url.Values) error {
	d, err := duration(f, "by")
	if err == nil {
		s.AdvanceClock(d)
	}
	return err
}

func (s *Simulator) faultAction(_ *http.Request, f url.Values) error {
	if f.Get("kind") == "none" {
		return s.SetFaults(Faults{Push: s.Faults().Push})
	}
	if f.Get("kind") == "hostile" {
		return s.SetFaults(HostileFaults())
	}
	fault := Fault{Kind: FaultKind(f.Get("kind")), Path: f.Get("path"), Value: f.Get("value")}
	var err error
	for name, to := range map[string]*int{"next": &fault.Next, "percent": &fault.Percent, "code": &fault.Code} {
		if *to, err = whole(f, name); err != nil {
			return err
		}
	}
	for name, to := range map[string]*time.Duration{"delay": &fault.Delay, "spread": &fault.Spread} {
		if *to, err = duration(f, name); err != nil {
			return err
		}
	}
	return s.AddFault(fault)
}

// faultsAction replaces all faults by a JSON Faults; durations are nanoseconds.
func (s *Simulator) faultsAction(r *http.Request, _ url.Values) error {
	var faults Faults
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&faults); err != nil {
		return fmt.Errorf("faults: %w", err)
	}
	return s.SetFaults(faults)
}

func (s *Simulator) pushAction(_ *http.Request, f url.Values) error {
	faults := s.Faults()
	p := PushFaults{}
	var err error
	for name, to := range map[string]*int{"drop": &p.Drop, "drop_share": &p.DropShare, "duplicate": &p.Duplicate, "retries": &p.Retries} {
		if *to, err = whole(f, name); err != nil {
			return err
		}
	}
	for name, to := range map[string]*time.Duration{"delay": &p.Delay, "spread": &p.Spread, "skew": &p.Skew, "retry_pace": &p.RetryPace} {
		if *to, err = duration(f, name); err != nil {
			return err
		}
	}
	faults.Push = p
	return s.SetFaults(faults)
}

// optionsAction sets every switch from the form, so that an unticked box is off.
func (s *Simulator) optionsAction(_ *http.Request, f url.Values) error {
	o := s.Options()
	for name, to := range o.switches() {
		*to = f.Get(name) != ""
	}
	var err error
	for name, to := range o.durations() {
		if f.Has(name) {
			if *to, err = duration(f, name); err != nil {
				return err
			}
		}
	}
	if f.Has("daily_quota") {
		if o.DailyQuota, err = whole(f, "daily_quota"); err != nil {
			return err
		}
	}
	if o.ExtraSets, err = idList(f.Get("extra_sets")); err != nil {
		return err
	}
	o.TestList = words(f.Get("test_list"))
	o.AllowedIPs = words(f.Get("allowed_ips"))
	s.Change(func(to *Options) { *to = o })
	return nil
}

// words splits a console field, whose entries are separated by semicolons. An
// empty field is nil.
func words(text string) []string {
	var list []string
	return append(list, strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ;,；，", r) })...)
}

// whole reads a form field as an integer; empty is 0.
func whole(f url.Values, name string) (int, error) {
	v := strings.TrimSpace(f.Get(name))
	if v == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is not a whole number", name, v)
	}
	return n, nil
}

// duration reads a form field such as "90s" or "-2h"; empty is 0.
func duration(f url.Values, name string) (time.Duration, error) {
	v := strings.TrimSpace(f.Get(name))
	if v == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is not a duration such as 90s or 2h", name, v)
	}
	return d, nil
}

func joinInts(list []int) string {
	var text []string
	for _, n := range list {
		text = append(text, strconv.Itoa(n))
	}
	return strings.Join(text, ",")
}
