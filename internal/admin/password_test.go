package admin_test

import (
	"strings"
	"testing"

	"usher/internal/admin"
)

// TestArgon_ParamsPinned holds the cost to what the manual says, whatever machine
// it runs on, and shows that hashes are made with it.
func TestArgon_ParamsPinned(t *testing.T) {
	if m, n, p := admin.Cost(); m != 19*1024 || n != 2 || p != 1 {
		t.Errorf("the cost is m=%d t=%d p=%d, want m=19456 t=2 p=1", m, n, p)
	}
	c := open(t, at(noon))
	a := c.owner(t, "owner")
	if want := "$argon2id$v=19$m=19456,t=2,p=1$"; !strings.HasPrefix(a.Password, want) {
		t.Errorf("the stored hash is %q, want %q…", a.Password, want)
	}
}

// TestSignIn_Rehash makes a hash of a lower cost be replaced by the next sign-in.
func TestSignIn_Rehash(t *testing.T) {
	c := open(t, at(noon))
	a := c.owner(t, "owner")
	// argon2id, m=8 MiB t=1 p=1, of the password with a salt of 16 bytes "0".
	a.Password = admin.HashAt(password, 8<<10, 1, 1)
	if err := c.db.SaveAdmin(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := c.SignIn(from(t.Context(), 1), "owner", password); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := c.Admin(t.Context(), a.ID); err != nil || !strings.Contains(got.Password, "m=19456,t=2,p=1") {
		t.Errorf("after a sign-in the hash is %.40q, %v; want today's cost", got.Password, err)
	}
}

func TestParsePassword(t *testing.T) {
	tests := []struct{ in, key string }{
		{"short", "admin.error.password"},
		{"elevenchars", "admin.error.password"},
		{"twelve chars", ""},
		{strings.Repeat("é", 12), "admin.error.breached"},
		{"十二个汉字也可以当密码用", ""},
		{strings.Repeat("a1B", 42) + "x1", "admin.error.breached"}, // 128 characters of 4 kinds
		{strings.Repeat("abcdefg8", 16), ""},
		{strings.Repeat("abcdefg8", 16) + "x", "admin.error.password"},
		{"Password1234", "admin.error.breached"},
		{"qwertyuiop123", "admin.error.breached"},
		{"aaaaaaaaaaaa", "admin.error.breached"},
		{"linda2linda2linda", "admin.error.breached"}, // the name and nothing else
		{"linda likes mountains", ""},
		{"not utf8 \xff\xfe\xfd\xfc", "admin.error.password"},
	}
	for _, tt := range tests {
		got, err := admin.ParsePassword(tt.in, "Linda")
		if string(key(err)) != tt.key || err == nil && got != tt.in {
			t.Errorf("ParsePassword(%q) = %q, %v; want %q", tt.in, got, err, tt.key)
		}
	}
	composed, err := admin.ParsePassword("cafe\u0301 au lait", "")
	if err != nil || composed != "caf\u00e9 au lait" {
		t.Errorf("ParsePassword of decomposed letters = %q, %v", composed, err)
	}
}

func TestParseName(t *testing.T) {
	for in, want := range map[string]string{
		"陈晓": "陈晓", " Zoe\u0308 ": "Zo\u00eb", "": "", "   ": "", strings.Repeat("名", 41): "", "a\nb": "", "a\u202eb": "", "a\x00": "", "\xff": "", "a\u200bb": "",
	} {
		got, err := admin.ParseName(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParseName(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, pair := range [][2]string{{"Owner", "owner"}, {"ＯＷＮＥＲ", "owner"}, {"zoe\u0308", "Zo\u00eb"}, {" a ", "a"}} {
		if admin.NameKey(pair[0]) != admin.NameKey(pair[1]) {
			t.Errorf("NameKey(%q) = %q, NameKey(%q) = %q; want the same", pair[0], admin.NameKey(pair[0]), pair[1], admin.NameKey(pair[1]))
		}
	}
}

// TestRole_May is the table of what each role may do.
func TestRole_May(t *testing.T) {
	table := map[admin.Permission]string{
		admin.Anyone: ".vow", admin.Self: "vow", admin.View: "vow", admin.Work: "ow", admin.ReadAudit: "ow",
		admin.ManagePlatform: "w", admin.ManageSettings: "w", admin.ManageAdmins: "w", "": "", "invented": "",
	}
	for p, who := range table {
		for letter, r := range map[string]admin.Role{".": "", "v": admin.Viewer, "o": admin.Operator, "w": admin.Owner} {
			if got, want := r.May(p), strings.Contains(who, letter); got != want {
				t.Errorf("%q.May(%q) = %v, want %v", r, p, got, want)
			}
		}
		if p.Valid() != (who != "") {
			t.Errorf("%q.Valid() = %v", p, p.Valid())
		}
	}
	if admin.Role("root").May(admin.View) {
		t.Error("an invented role may see the console")
	}
}
