package adminviews_test

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"usher/internal/admin"
	"usher/internal/hostile"
	"usher/internal/i18n"
	"usher/internal/secret"
	"usher/views"
	adminviews "usher/views/admin"
)

var noon = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

// pages are the console's pages with text in every place where somebody else's can be.
func pages(text string) map[string]templ.Component {
	who := admin.Admin{ID: text, Name: text, Role: admin.Operator, Password: "$", SignedInAt: noon, Version: 3}
	me := admin.Admin{ID: "ME", Name: text, Role: admin.Owner, Password: "$", TOTP: secret.New("K"), Recovery: []string{"a"}}
	f := adminviews.Frame{
		Page:  views.Page{Brand: views.Brand{Name: text, Contact: text, Logo: "/brand/x.png"}, Path: "/admin/x?q=" + text, Now: noon, Reference: "R-ABCD"},
		Admin: me, Flash: &adminviews.Flash{Class: "ok", Text: text},
		Nav: adminviews.Nav("/admin/settings", func(string) bool { return true }, func(string) (string, bool) { return text, true }),
	}
	faults := adminviews.Faults{{Field: "name", Key: admin.KeyChanged, Args: []any{"name", text}}, {Field: "role", Key: admin.KeyRole}}
	kept := adminviews.Kept{Action: "/admin/x" + text, Fields: []adminviews.KeptField{{Name: text, Value: text}}}
	session := admin.Session{ID: text, Address: text, Browser: text, SeenAt: noon}
	off := f
	off.Admin.TOTP = secret.Secret{}
	all := map[string]templ.Component{
		"sign in":  adminviews.SignIn(adminviews.SignInPage{Frame: f, Name: text, Next: text, Kept: kept, Faults: faults}),
		"code":     adminviews.Code(adminviews.CodePage{Frame: f, Next: text, Kept: kept}),
		"kept":     adminviews.KeptForm(adminviews.KeptPage{Frame: f, Kept: kept}),
		"first":    adminviews.Setup(adminviews.SetupPage{Frame: f, Token: text, First: true, Name: text, Faults: faults}),
		"enroll":   adminviews.Setup(adminviews.SetupPage{Frame: f, Token: text, Name: text}),
		"problem":  adminviews.Problem(adminviews.ProblemPage{Frame: f, Title: text, Text: text}),
		"admins":   adminviews.Admins(adminviews.AdminsPage{Frame: f, Admins: []admin.Admin{who, me, {Name: text, Role: admin.Viewer}}}),
		"add":      adminviews.NewAdmin(adminviews.NewAdminPage{Frame: f, Name: text, Role: text, Faults: faults}),
		"admin":    adminviews.Admin(adminviews.AdminPage{Frame: f, Who: who, Sessions: []admin.Session{session}, Faults: faults}),
		"remove":   adminviews.RemoveAdmin(adminviews.AdminPage{Frame: f, Who: who, Faults: faults}),
		"way in":   adminviews.WayIn(adminviews.WayInPage{Frame: f, Who: who, Link: "https://x/" + text}),
		"profile":  adminviews.Profile(adminviews.ProfilePage{Frame: f, Sessions: []admin.Session{session, {ID: "own", SeenAt: noon}}, Current: "own"}),
		"no totp":  adminviews.Profile(adminviews.ProfilePage{Frame: off, Sessions: []admin.Session{session}}),
		"totp":     adminviews.TOTP(adminviews.TOTPPage{Frame: f, Key: text}),
		"recovery": adminviews.Recovery(adminviews.RecoveryPage{Frame: f, Codes: []string{text, text}}),
		"audit": adminviews.Audit(adminviews.AuditPage{Frame: f, Rows: []admin.Entry{{Seq: 1, At: noon, Actor: text, Action: text, Target: text, Before: text, After: text, Address: text}},
			Actions: []string{text, "admin.create"}, Actors: []string{text}, Actor: text, Action: text, Target: text, From: text, Until: text, Next: 1, Chain: admin.Chain{Rows: 1, Head: strings.Repeat("a", 64), CheckedAt: noon}}),
		"broken": adminviews.Audit(adminviews.AuditPage{Frame: f, Chain: admin.Chain{Broken: 3}}),
		"settings": adminviews.Settings(adminviews.SettingsPage{Frame: f, Logo: "/brand/x.png", Faults: faults,
			Form:        adminviews.SettingsForm{Brand: text, Contact: text, DeskMinutes: text, InviteHours: text, Sets: text, Language: "en", Days: text, Returns: "</textarea>" + text},
			Meanwhile:   []adminviews.ChangedSetting{{Label: i18n.SettingsBrand, Value: text}},
			Credentials: []adminviews.CredentialLine{{Name: admin.AESKey, Fingerprint: text, Credential: admin.Credential{UpdatedBy: text, UpdatedAt: noon}}, {Name: admin.PreviousAESKey, Credential: admin.Credential{Fixed: true}}}}),
	}
	maps.Copy(all, invitePages(text, f))
	maps.Copy(all, overviewPages(f))
	maps.Copy(all, eventPages(f, text))
	maps.Copy(all, reconcilePages(f, text))
	maps.Copy(all, accountPages(f, text))
	maps.Copy(all, platformPages(f, text))
	return all
}

func draw(t *testing.T, page templ.Component, l i18n.Lang) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := page.Render(i18n.With(context.Background(), l), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func parse(t *testing.T, page templ.Component, l i18n.Lang) *html.Node {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(draw(t, page, l)))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// TestPages draws every page in both languages and checks what holds for all: one
// h1, a name for every field, no sentence left out, no style or script in the page.
// With USHER_TEST_PAGES, the directory that it names gets the pages, for .ci/run.
func TestPages(t *testing.T) {
	for _, l := range i18n.Langs() {
		for name, page := range pages("Text") {
			t.Run(name+"."+string(l), func(t *testing.T) {
				if dir := os.Getenv("USHER_TEST_PAGES"); dir != "" {
					if err := os.WriteFile(filepath.Join(dir, name+"."+string(l)+".html"), draw(t, page, l), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				doc := parse(t, page, l)
				labels, ids, h1 := map[string]bool{}, map[string]int{}, 0
				var inputs []*html.Node
				for n := range doc.Descendants() {
					if id := attr(n, "id"); id != "" {
						ids[id]++
					}
					switch n.Data {
					case "h1":
						h1++
					case "label":
						labels[attr(n, "for")] = true
					case "input", "select", "textarea":
						if attr(n, "type") != "hidden" {
							inputs = append(inputs, n)
						}
					case "th":
						if attr(n, "scope") == "" {
							t.Error("a th without a scope")
						}
					}
					if n.Type == html.TextNode && (placeholder.MatchString(n.Data) || i18n.Has(i18n.Key(strings.TrimSpace(n.Data)))) {
						t.Errorf("the page shows %q", n.Data)
					}
				}
				if h1 != 1 {
					t.Errorf("%d h1", h1)
				}
				for id, n := range ids {
					if n > 1 {
						t.Errorf("%d elements have the id %q", n, id)
					}
				}
				for _, in := range inputs {
					inside := false
					for p := in.Parent; p != nil; p = p.Parent {
						inside = inside || p.Data == "label"
					}
					if !inside && !labels[attr(in, "id")] && attr(in, "aria-label") == "" && attr(in, "aria-hidden") == "" {
						t.Errorf("the field %q has no label", attr(in, "name"))
					}
					for _, id := range strings.Fields(attr(in, "aria-describedby")) {
						if ids[id] != 1 {
							t.Errorf("the field %q is described by %q, which is not there", attr(in, "name"), id)
						}
					}
				}
			})
		}
	}
}

// TestPages_Hostile puts markup into every text: the elements and attributes are
// those of the page with harmless text.
func TestPages_Hostile(t *testing.T) {
	want := map[string]string{}
	for name, page := range pages("Text") {
		want[name] = shape(parse(t, page, i18n.Chinese))
	}
	for n, text := range hostile.Texts {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			for name, page := range pages("x" + text) {
				if got := shape(parse(t, page, i18n.Chinese)); got != want[name] {
					t.Errorf("%q changes the page %q:\n%s\nwant\n%s", text, name, got, want[name])
				}
			}
		})
	}
}

// shape is a document without its texts and the values of its attributes. Sets that
// are named below a field depend on its text.
func shape(doc *html.Node) string {
	var b strings.Builder
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		b.WriteString("\n" + n.Data)
		for _, a := range n.Attr {
			b.WriteString(" " + a.Key)
			if a.Key == "href" && strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
				b.WriteString("=javascript")
			}
		}
	}
	return b.String()
}
