package admin_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
)

// TestAudit_ChainDetectsEdit changes every column of a row in turn, takes rows out,
// puts one in, and cuts off the end.
func TestAudit_ChainDetectsEdit(t *testing.T) {
	write := func(t *testing.T) (console, func(string) int64) {
		c := open(t, at(noon))
		for i := range 5 {
			err := c.Audit(as(t.Context(), admin.Admin{ID: "ID1", Name: "陈晓"}), admin.Entry{
				Action: "invite.create", Target: fmt.Sprint("wx", i), Before: "a", After: "b",
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		return c, func(sql string) int64 { return execSQL(t, c, sql) }
	}
	edits := map[string]string{
		"time": `UPDATE audit SET at = at + 1 WHERE seq = 3`, "actor": `UPDATE audit SET actor = '王' WHERE seq = 3`,
		"actor id": `UPDATE audit SET actor_id = 'ID2' WHERE seq = 3`, "action": `UPDATE audit SET action = 'invite.revoke' WHERE seq = 3`,
		"target": `UPDATE audit SET target = 'wx9' WHERE seq = 3`, "before": `UPDATE audit SET was = '' WHERE seq = 3`,
		"after": `UPDATE audit SET became = 'c' WHERE seq = 3`, "address": `UPDATE audit SET address = '' WHERE seq = 3`,
		"request id": `UPDATE audit SET request_id = 'x' WHERE seq = 3`, "hash": `UPDATE audit SET hash = prev WHERE seq = 3`,
		"moved between columns": `UPDATE audit SET was = 'ab', became = '' WHERE seq = 3`,
		"taken out":             `DELETE FROM audit WHERE seq = 3`,
		"first taken out":       `DELETE FROM audit WHERE seq = 1`,
		"cut off at the end":    `DELETE FROM audit WHERE seq = 5`,
		"all gone":              `DELETE FROM audit`,
		"swapped":               `UPDATE audit SET seq = CASE seq WHEN 3 THEN -4 ELSE -3 END WHERE seq IN (3, 4); UPDATE audit SET seq = -seq WHERE seq < 0`,
	}
	for what, sql := range edits {
		t.Run(what, func(t *testing.T) {
			c, exec := write(t)
			whole, err := c.AuditChain(t.Context(), true)
			if err != nil || !whole.OK() || whole.Rows != 5 || whole.Head == "" {
				t.Fatalf("AuditChain = %+v, %v; want 5 rows that follow", whole, err)
			}
			for part := range strings.SplitSeq(sql, ";") {
				if exec(part) == 0 {
					t.Fatal("the edit changed nothing")
				}
			}
			if got, err := c.AuditChain(t.Context(), true); err != nil || got.OK() {
				t.Errorf("AuditChain = %+v, %v; want a break", got, err)
			}
		})
	}
	// What is added goes on as it should.
	c, _ := write(t)
	if err := c.Audit(t.Context(), admin.Entry{Action: "x.y"}); err != nil {
		t.Fatal(err)
	}
	if got, err := c.AuditChain(t.Context(), true); err != nil || !got.OK() || got.Rows != 6 {
		t.Errorf("AuditChain after another row = %+v, %v", got, err)
	}
}

func TestSettings(t *testing.T) {
	c := open(t, at(noon))
	me := c.owner(t, "owner")
	first := c.Settings()
	if first.Brand != "Usher" || first.DeskLife != onboard.DeskLife || first.Version != 0 {
		t.Errorf("the first settings are %+v", first)
	}
	mine, theirs := first, first
	mine.Brand, mine.InviteOnly, mine.Wanted = "青禾云", true, []onboard.PermissionID{17, 18}
	if err := c.SaveSettings(as(t.Context(), me), mine); err != nil {
		t.Fatal(err)
	}
	now := c.Settings()
	if now.Brand != "青禾云" || !now.Rules().InviteOnly || now.Version != 1 || now.UpdatedBy != "owner" || !now.UpdatedAt.Equal(noon) {
		t.Errorf("after SaveSettings they are %+v", now)
	}
	if got := c.last(t); got.Action != "settings.change" || !strings.Contains(got.Before, `"brand":"Usher"`) || !strings.Contains(got.After, `"permission_sets":"[17 18]"`) || strings.Contains(got.After, "desk_life") {
		t.Errorf("the audit has %+v", got)
	}
	// Somebody who saw the first ones does not undo the change unseen.
	theirs.Contact = "400-000-0000"
	if err := c.SaveSettings(as(t.Context(), me), theirs); key(err) != admin.KeyChanged {
		t.Errorf("SaveSettings of an older version = %v, want %q", err, admin.KeyChanged)
	}
	theirs.Version = now.Version
	if err := c.SaveSettings(as(t.Context(), me), theirs); err != nil {
		t.Error(err)
	}
	faults := map[string]func(*admin.Settings){
		"brand": func(s *admin.Settings) { s.Brand = "" }, "contact": func(s *admin.Settings) { s.Contact = "a\nb" },
		"desk": func(s *admin.Settings) { s.DeskLife = time.Minute }, "invite": func(s *admin.Settings) { s.InviteLife = 31 * 24 * time.Hour },
		"language": func(s *admin.Settings) { s.Language = "fr" }, "days": func(s *admin.Settings) { s.EventDays = 6 },
		"hosts": func(s *admin.Settings) { s.ReturnHosts = []string{"ok.example.com", "https://evil.example"} },
	}
	for field, change := range faults {
		s := c.Settings()
		change(&s)
		if f := s.Faults(); len(f) != 1 || f[0].Field != field {
			t.Errorf("Faults with a wrong %s = %v", field, f)
		}
		if err := c.SaveSettings(as(t.Context(), me), s); err == nil {
			t.Errorf("SaveSettings with a wrong %s = nil", field)
		}
	}
	for _, host := range []string{"a.example:443", "a.example/x", "A.example", "*.example.com", "a b.example", "localhost", "user@a.example", "a.example\\", "[::1]", "a..", ""} {
		s := c.Settings()
		s.ReturnHosts = []string{host}
		if len(s.Faults()) == 0 {
			t.Errorf("the host %q is accepted", host)
		}
	}
}

// TestCredentials holds that the environment wins, that a secret is sealed and that
// a replaced one goes on counting beside the new one.
func TestCredentials(t *testing.T) {
	c := open(t, at(noon))
	me := c.owner(t, "owner")
	old, next := strings.Repeat("k", 43), strings.Repeat("K", 43)
	for _, v := range []string{old, next} {
		if err := c.SaveCredential(as(t.Context(), me), admin.AESKey, secret.New(v)); err != nil {
			t.Fatal(err)
		}
	}
	if p := c.Platform(); p.AESKey.Reveal() != next || p.PreviousAESKeyText.Reveal() != old {
		t.Errorf("Platform = %+v, want the new key and the one before", p)
	}
	if got := c.last(t); got.Action != "credential.set" || got.Target != "aes_key" || got.Before == "" || got.After == "" || got.Before == got.After ||
		strings.Contains(fmt.Sprint(got), old) || strings.Contains(fmt.Sprint(got), next) {
		t.Errorf("the audit has %+v", got)
	}
	if n := countSQL(t, c, `SELECT COUNT(*) FROM platform_secret WHERE value LIKE '%kkkk%' OR value LIKE '%KKKK%'`); n != 0 {
		t.Error("a credential lies open in the database")
	}
	for name, v := range map[admin.CredentialName]string{
		admin.AESKey: "short", admin.PushToken: "with-dash", admin.ComponentSecret: "has a space in the middle",
	} {
		if err := c.SaveCredential(as(t.Context(), me), name, secret.New(v)); err == nil || strings.Contains(err.Error(), v) {
			t.Errorf("SaveCredential(%s, wrong) = %v; want a refusal that does not repeat it", name, err)
		}
	}
	if err := c.SaveCredential(as(t.Context(), me), "invented", secret.New("x")); key(err) != onboard.KeyNotFound {
		t.Errorf("SaveCredential of an unknown name = %v", err)
	}

	fixed := admin.NewService(admin.Options{Store: c.db, Hasher: c.db.Hasher(), Fixed: map[admin.CredentialName]secret.Secret{admin.AESKey: secret.New("env")}})
	if err := fixed.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := fixed.Platform(); p.AESKey.Reveal() != "env" || !p.PreviousAESKeyText.Empty() {
		t.Errorf("beside the environment Platform = %+v", p)
	}
	if err := fixed.SaveCredential(as(t.Context(), me), admin.AESKey, secret.New(old)); key(err) != admin.KeyFixed {
		t.Errorf("SaveCredential of one that the environment sets = %v, want %q", err, admin.KeyFixed)
	}
	// Another process sees the change at its next turn.
	if err := c.SaveCredential(as(t.Context(), me), admin.PushToken, secret.New("token1")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(fixed.Reload(t.Context())); err != nil || fixed.Platform().PushToken.Reveal() != "token1" {
		t.Errorf("the other process has %v, %v", fixed.Platform().PushToken, err)
	}
}

// TestEntry_Sum is a vector made with Python: hashlib.sha256(json.dumps([...],
// ensure_ascii=False, separators=(",", ":")).encode()).hexdigest().
func TestEntry_Sum(t *testing.T) {
	e := admin.Entry{
		Seq: 7, At: noon, ActorID: "ID", Actor: "陈晓 <&>", Action: "invite.create", Target: "wx1", Before: `{"a":"\\"}`, After: "b\nc",
		Address: "192.0.2.1", RequestID: "R",
	}
	const want = "95ae26d5eacdb7b16eaa8a7d36dca28bee95b4fbe52bd6702744b2e9f11707cf"
	if got := e.Sum("prev"); got != want {
		t.Errorf("Sum = %s, want %s", got, want)
	}
}
