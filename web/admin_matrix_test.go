package web

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"usher/internal/admin"
	"usher/internal/onboard"
)

// adminObject fills one parameter of a route: with something that exists, made when
// it is not there yet, and with something that does not.
type adminObject struct {
	existing func(w *consoleWorld) string
	foreign  string
}

// adminObjects are the parameters of the console's routes by name. A route with
// another one needs a line here.
var adminObjects = map[string]adminObject{
	":admin":  {func(w *consoleWorld) string { return w.admins[admin.Viewer].ID }, "ZZZZZZZZZZZZZZZZZZZZZZZZZZ"},
	":invite": {func(w *consoleWorld) string { return w.invite(onboard.Invitation{Hold: true}).ID }, "ZZZZZZZZZZZZZZZZZZZZZZZZZZ"},
	":appid":  {func(w *consoleWorld) string { return string(w.putAside()) }, "wxffffffffffffffff"},
	":name":   {func(*consoleWorld) string { return string(admin.PreviousPushToken) }, "invented"},
	":event":  {func(w *consoleWorld) string { return failedEvent(w) }, "1"},
	":step":   {func(*consoleWorld) string { return string(admin.StepTry) }, "push"},
}

// adminForm is what a route has to be sent so that it does what it is for, and
// whose cookie it needs when that is not a plain session of the owner.
type adminForm struct {
	values func(w *consoleWorld) url.Values
	cookie func(w *consoleWorld) string
	send   func(w *consoleWorld, path, cookie string) *httptest.ResponseRecorder // when it is not a plain form
}

// adminForms are the forms of the routes that need one, by path. A POST that is not
// here is sent an empty form.
var adminForms = map[string]adminForm{
	"/admin/sign-in": {cookie: nobody, values: func(*consoleWorld) url.Values {
		return url.Values{"name": {"owner"}, "password": {ownersPassword}}
	}},
	"/admin/sign-in/code": {cookie: pendingCode, values: func(w *consoleWorld) url.Values { return url.Values{"code": {w.recovery}} }},
	"/admin/setup": {cookie: nobody, values: func(w *consoleWorld) url.Values {
		_, token, err := w.site.Console.ResetByName(w.Context(), "viewer")
		w.ok(err)
		return url.Values{"token": {token.Reveal()}, "password": {"another good password"}, "repeat": {"another good password"}}
	}},
	"/admin/profile/password": {values: func(*consoleWorld) url.Values {
		return url.Values{"present": {ownersPassword}, "password": {"another good password"}, "repeat": {"another good password"}}
	}},
	"/admin/profile/totp/confirm": {values: func(w *consoleWorld) url.Values {
		me := w.admins[admin.Owner]
		w.ok(w.site.Console.OfferTOTP(admin.With(w.Context(), admin.Actor{Admin: me})))
		me, err := w.site.Console.Admin(w.Context(), me.ID)
		w.ok(err)
		return url.Values{"totp_password": {ownersPassword}, "totp_code": {totp(me.NextTOTP.Reveal(), w.now)}}
	}},
	"/admin/profile/totp/off": {values: func(w *consoleWorld) url.Values { return url.Values{"totp_password": {ownersPassword}} }},
	"/admin/profile/sessions/end": {values: func(w *consoleWorld) url.Values {
		w.signedIn(admin.Owner)
		all, err := w.site.Console.Sessions(w.Context(), w.admins[admin.Owner].ID)
		w.ok(err)
		return url.Values{"id": {all[0].ID}}
	}},
	"/admin/admins": {values: func(*consoleWorld) url.Values { return url.Values{"name": {"新人"}, "role": {"operator"}} }},
	"/admin/admins/:admin/role": {values: func(w *consoleWorld) url.Values {
		return url.Values{"role": {"operator"}, "version": {"1"}}
	}},
	"/admin/admins/:admin/remove": {values: func(w *consoleWorld) url.Values { return url.Values{"version": {"1"}} }},
	"/admin/invites": {values: func(*consoleWorld) url.Values {
		return url.Values{"recipient": {"林小雨"}, "auth_type": {"2"}, "language": {"en"}, "life": {"24"}}
	}},
	"/admin/accounts/:appid/decide": {values: func(*consoleWorld) url.Values { return url.Values{"answer": {"yes"}} }},
	"/admin/settings":               {values: func(w *consoleWorld) url.Values { return settingsValues(w) }},
	"/admin/events/lab":             {values: func(*consoleWorld) url.Values { return url.Values{"query": {"timestamp=1"}, "body": {"<xml/>"}} }},
	"/admin/settings/logo": {send: func(w *consoleWorld, path, cookie string) *httptest.ResponseRecorder {
		var b bytes.Buffer
		w.ok(png.Encode(&b, image.NewGray(image.Rect(0, 0, 300, 300))))
		return w.upload(path, cookie, "logo", b.Bytes(), url.Values{"version": {settingsVersion(w)}})
	}},
	"/admin/settings/logo/remove": {values: func(w *consoleWorld) url.Values { return url.Values{"version": {settingsVersion(w)}} }},
	"/admin/wizard/credentials": {values: func(*consoleWorld) url.Values {
		return url.Values{"secret-component_secret": {"secretsecretsecret"}, "secret-push_token": {"token"}, "secret-aes_key": {strings.Repeat("k", 43)}}
	}},
	"/admin/settings/credentials/:name": {values: func(w *consoleWorld) url.Values { return url.Values{"secret-push_token_previous": {"abc123"}} }},
}

func nobody(*consoleWorld) string { return "" }

func settingsVersion(w *consoleWorld) string {
	return strconv.FormatInt(w.site.Console.Settings().Version, 10)
}

func settingsValues(w *consoleWorld) url.Values {
	return url.Values{
		"version": {settingsVersion(w)}, "brand": {"青禾云"}, "contact": {"400"}, "language": {"en"}, "desk": {"20"}, "invite": {"48"},
		"sets": {"17|18"}, "hosts": {"shop.example.com"}, "days": {"30"},
	}
}

// prepare makes what a route's form needs and returns what sends it as somebody.
func (w *consoleWorld) prepare(r adminRoute, path, cookie string) func() *httptest.ResponseRecorder {
	w.Helper()
	f := adminForms[r.path]
	var values url.Values
	if f.values != nil {
		values = f.values(w)
	}
	return func() *httptest.ResponseRecorder {
		switch {
		case r.method != http.MethodPost:
			return ask(w, r.method, path, "", "Cookie", cookie)
		case f.send != nil:
			return f.send(w, path, cookie)
		}
		return w.post(path, cookie, values)
	}
}

// address fills in the parameters of a route; has says that there are any.
func address(w *consoleWorld, r adminRoute, foreign bool) (path string, has bool) {
	w.Helper()
	parts := strings.Split(r.path, "/")
	for i, part := range parts {
		name, suffix, _ := strings.Cut(part, ".")
		if !strings.HasPrefix(name, ":") {
			continue
		}
		o, known := adminObjects[name]
		if !known {
			w.Fatalf("%s %s: adminObjects has no %q", r.method, r.path, name)
		}
		has = true
		if parts[i] = o.foreign; !foreign {
			parts[i] = o.existing(w)
		}
		parts[i] = url.PathEscape(parts[i])
		if suffix != "" {
			parts[i] += "." + suffix
		}
	}
	return strings.Join(parts, "/"), has
}

// TestIDOR_Matrix asks for every route as everybody, with objects that exist and
// with others: nothing answers that should not.
func TestIDOR_Matrix(t *testing.T) {
	table := newConsole(t, nil).site.console.routes
	w := newConsole(t, nil)
	for _, r := range table {
		name := r.method + " " + r.path
		for _, role := range append(admin.Roles(), "") {
			for _, foreign := range []bool{true, false} {
				path, has := address(w, r, foreign)
				if foreign && !has {
					continue
				}
				allowed := role.May(r.permission)
				if allowed && !foreign && (r.method == http.MethodPost || strings.HasSuffix(r.path, liveSuffix)) {
					continue // does something: TestAudit_EveryMutatingRouteWrites; or lasts
				}
				cookie := ""
				if role != "" {
					cookie = w.signedIn(role)
				}
				got := w.prepare(r, path, cookie)()
				who := fmt.Sprintf("%s as %q, foreign %v", name, role, foreign)
				switch {
				case got.Code >= 500:
					t.Errorf("%s: %d\n%s", who, got.Code, w.log)
				case !allowed && role == "" && r.method == http.MethodGet && kindOfPath(r.path) == htmlAnswer:
					if got.Code != http.StatusSeeOther || !strings.HasPrefix(got.Header().Get("Location"), "/admin/sign-in?next=") {
						t.Errorf("%s: %d to %q, want the sign-in", who, got.Code, got.Header().Get("Location"))
					}
				case !allowed && role == "":
					if got.Code != http.StatusUnauthorized {
						t.Errorf("%s: %d, want 401", who, got.Code)
					}
				case !allowed:
					if got.Code != http.StatusForbidden {
						t.Errorf("%s: %d, want 403", who, got.Code)
					}
				case foreign:
					if got.Code != http.StatusNotFound {
						t.Errorf("%s: %d, want 404", who, got.Code)
					}
				case got.Code == http.StatusForbidden || got.Code == http.StatusUnauthorized || got.Code == http.StatusNotFound && !mayBeMissing[r.path]:
					t.Errorf("%s: %d, want an answer", who, got.Code)
				}
				if role != "" && !allowed && strings.Contains(got.Body.String(), `class="tbl`) {
					t.Errorf("%s: the refusal shows a table", who)
				}
			}
		}
	}
}

// mayBeMissing are pages of something that a new admin does not have.
var mayBeMissing = map[string]bool{"/admin/profile/totp.png": true}

func kindOfPath(path string) answerKind {
	c := echo.New().NewContext(httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder())
	c.SetPath(path)
	return kindOf(c)
}

// TestAudit_EveryMutatingRouteWrites does everything that can be done, each in a
// world of its own, and finds a row about it that says what it was.
func TestAudit_EveryMutatingRouteWrites(t *testing.T) {
	for _, r := range newConsole(t, nil).site.console.routes {
		if r.method != http.MethodPost {
			continue
		}
		t.Run(r.path, func(t *testing.T) {
			t.Parallel()
			w := newConsole(t, nil)
			cookie := w.signedIn(admin.Owner)
			if f := adminForms[r.path].cookie; f != nil {
				cookie = f(w)
			}
			path, _ := address(w, r, false)
			send := w.prepare(r, path, cookie)
			_, before := w.lastAudit()
			got := send()
			e, after := w.lastAudit()
			if got.Code >= 400 {
				t.Fatalf("POST %s = %d: adminForms needs what it takes\n%s", path, got.Code, got.Body)
			}
			if after == before {
				t.Fatalf("POST %s = %d wrote no row", path, got.Code)
			}
			noun, verb, ok := strings.Cut(e.Action, ".")
			if e.Action == "route.post" || !ok || noun == "" || verb == "" {
				t.Errorf("POST %s wrote the action %q, want noun.verb of its own", path, e.Action)
			}
			if e.Address == "" || e.RequestID == "" || e.Actor == "" {
				t.Errorf("POST %s wrote a row that does not say who: %+v", path, e)
			}
			if chain, err := w.site.Console.AuditChain(t.Context(), true); err != nil || !chain.OK() {
				t.Errorf("AuditChain = %+v, %v", chain, err)
			}
		})
	}
}

// TestRoutes_NoMutatingGET asks for every page and compares the database before and
// after. A session's last use and a sentence that was shown once may change.
func TestRoutes_NoMutatingGET(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Owner)
	for _, r := range w.site.console.routes {
		if r.method != http.MethodGet || strings.HasSuffix(r.path, liveSuffix) {
			continue
		}
		path, _ := address(w, r, false)
		before := w.dump()
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			if got := ask(w, method, path, "", "Cookie", cookie); got.Code >= 500 {
				t.Errorf("%s %s = %d", method, path, got.Code)
			}
		}
		for table, rows := range w.dump() {
			if rows != before[table] {
				t.Errorf("GET %s changed the table %s:\n%s\nwas\n%s", path, table, rows, before[table])
			}
		}
	}
}

// dump reads every table as text.
func (w *consoleWorld) dump() map[string]string {
	w.Helper()
	db, err := sql.Open("sqlite", "file:"+w.path+"?mode=ro&_pragma=busy_timeout(5000)")
	w.ok(err)
	defer db.Close()
	all := map[string]string{}
	for _, table := range queryTexts(w, db, `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`) {
		rows := queryTexts(w, db, `SELECT * FROM "`+table+`"`)
		slices.Sort(rows)
		all[table] = strings.Join(rows, "\n")
	}
	return all
}

func queryTexts(w *consoleWorld, db *sql.DB, text string) (out []string) {
	w.Helper()
	rows, err := db.QueryContext(context.Background(), text)
	w.ok(err)
	defer rows.Close()
	columns, err := rows.Columns()
	w.ok(err)
	for rows.Next() {
		cells, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			to[i] = &cells[i]
		}
		w.ok(rows.Scan(to...))
		line := fmt.Sprint(cells...)
		if len(columns) == 1 {
			line = fmt.Sprint(cells[0])
		}
		out = append(out, line)
	}
	w.ok(rows.Err())
	return out
}

// TestRoutes_AllHavePermission holds that the site does not start with a route
// that demands nothing, or with one that went past the router.
func TestRoutes_AllHavePermission(t *testing.T) {
	w := newConsole(t, nil)
	if len(w.site.console.routes) < 20 {
		t.Errorf("the console has %d routes", len(w.site.console.routes))
	}
	for _, r := range w.site.console.routes {
		if !r.permission.Valid() {
			t.Errorf("%s %s demands %q", r.method, r.path, r.permission)
		}
		if r.permission == admin.Anyone && !strings.HasPrefix(r.path, "/admin/sign-in") && r.path != "/admin/setup" {
			t.Errorf("%s %s is open to anyone", r.method, r.path)
		}
		if r.method == http.MethodPost && r.permission == admin.View {
			t.Errorf("POST %s demands no more than to see", r.path)
		}
	}
	for path, least := range map[string]admin.Role{
		"/admin/admins": admin.Owner, "/admin/settings": admin.Owner, "/admin/audit": admin.Operator, "/admin/profile": admin.Viewer,
	} {
		for _, r := range w.site.console.routes {
			if r.path != path && !strings.HasPrefix(r.path, path+"/") && !strings.HasPrefix(r.path, path+".") {
				continue
			}
			for _, role := range append(admin.Roles(), "") {
				if want := slices.Index(admin.Roles(), role) >= slices.Index(admin.Roles(), least); role.May(r.permission) != want {
					t.Errorf("%s %s as %q: may %v, want %v", r.method, r.path, role, !want, want)
				}
			}
		}
	}
	page := func(*adminContext) error { return nil }
	for what, register := range map[string]func(r *adminRouter, e *echo.Echo){
		"no permission":          func(r *adminRouter, _ *echo.Echo) { r.get("/admin/x", "", page) },
		"an invented permission": func(r *adminRouter, _ *echo.Echo) { r.post("/admin/x", "everything", page) },
		"outside of the console": func(r *adminRouter, _ *echo.Echo) { r.get("/x", admin.View, page) },
		"live without its name":  func(r *adminRouter, _ *echo.Echo) { r.stream("/admin/x", admin.View, page) },
		"past the router":        func(_ *adminRouter, e *echo.Echo) { e.GET("/admin/x", func(echo.Context) error { return nil }) },
		"past the router, below": func(_ *adminRouter, e *echo.Echo) { e.Any("/admin/*", func(echo.Context) error { return nil }) },
	} {
		e := echo.New()
		if err := w.site.registerAdmin(e, func(r *adminRouter) { register(r, e) }); err == nil {
			t.Errorf("a route with %s: the site starts", what)
		}
	}
	e := echo.New()
	if err := w.site.registerAdmin(e, func(r *adminRouter) { r.get("/admin/x", admin.View, page) }); err != nil {
		t.Errorf("a route as it should be: %v", err)
	}
}

// pendingCode is the cookie of somebody whose second factor is missing.
func pendingCode(w *consoleWorld) string {
	w.turnOnTOTP()
	in, err := w.site.Console.SignIn(w.Context(), "owner", ownersPassword)
	w.ok(err)
	return w.cookie(in.Token)
}
