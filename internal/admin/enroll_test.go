package admin_test

import (
	"bytes"
	"encoding/base32"
	"image"
	"image/color"
	"image/png"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
)

// TestBootstrap_TokenOnce spends the token of the first start.
func TestBootstrap_TokenOnce(t *testing.T) {
	now := noon
	c := open(t, func() time.Time { return now })
	first, err := c.Bootstrap(t.Context())
	if err != nil || first.Empty() {
		t.Fatalf("Bootstrap of an empty database = %v, %v; want a token", first, err)
	}
	second, err := c.Bootstrap(t.Context()) // another process, or another start
	if err != nil || second == first {
		t.Fatalf("Bootstrap again = %v, %v; want another token", second, err)
	}
	if _, err := c.Enroll(from(t.Context(), 1), "guess", "owner", password); key(err) != admin.KeyToken {
		t.Errorf("Enroll with a guess = %v, want %q", err, admin.KeyToken)
	}
	// A form that has to be corrected spends nothing.
	if _, err := c.Enroll(from(t.Context(), 2), first.Reveal(), "owner", "short"); key(err) != admin.KeyPassword {
		t.Errorf("Enroll with a short password = %v", err)
	}
	if _, err := c.Enroll(from(t.Context(), 2), first.Reveal(), "", password); key(err) != admin.KeyName {
		t.Errorf("Enroll without a name = %v", err)
	}
	in, err := c.Enroll(from(t.Context(), 2), first.Reveal(), "陈晓", password)
	if err != nil || in.Admin.Role != admin.Owner || in.Admin.Name != "陈晓" {
		t.Fatalf("Enroll = %+v, %v; want an owner", in.Admin, err)
	}
	if _, who, err := c.Session(t.Context(), in.Token); err != nil || who.ID != in.Admin.ID {
		t.Errorf("the session of the first owner = %+v, %v", who, err)
	}
	for what, token := range map[string]string{"the used token": first.Reveal(), "the other token": second.Reveal()} {
		if _, err := c.Enroll(from(t.Context(), 3), token, "intruder", password); key(err) != admin.KeyToken {
			t.Errorf("Enroll with %s = %v, want %q", what, err, admin.KeyToken)
		}
	}
	if token, err := c.Bootstrap(t.Context()); err != nil || !token.Empty() {
		t.Errorf("Bootstrap beside an admin = %v, %v; want none", token, err)
	}
}

func TestBootstrap_TokenExpires(t *testing.T) {
	now := noon
	c := open(t, func() time.Time { return now })
	token, err := c.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now = noon.Add(admin.SetupLife)
	if _, err := c.Enroll(from(t.Context(), 1), token.Reveal(), "owner", password); key(err) != admin.KeyToken {
		t.Errorf("Enroll after %v = %v, want %q", admin.SetupLife, err, admin.KeyToken)
	}
}

// TestBootstrap_Race lets many spend the tokens of the first start at once: one of
// them becomes the owner.
func TestBootstrap_Race(t *testing.T) {
	c := open(t, at(noon))
	var tokens []secret.Secret
	for range 4 {
		token, err := c.Bootstrap(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	var won atomic.Int64
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			_, err := c.Enroll(from(t.Context(), i), tokens[i%4].Reveal(), "owner"+string(rune('a'+i)), password)
			if err == nil {
				won.Add(1)
			} else if key(err) != admin.KeyToken {
				t.Errorf("Enroll = %v", err)
			}
		})
	}
	all.Wait()
	admins, err := c.Admins(t.Context())
	if err != nil || won.Load() != 1 || len(admins) != 1 {
		t.Errorf("%d of 8 became the first owner, %d admins, %v; want 1", won.Load(), len(admins), err)
	}
}

// TestBootstrap_NoDefaultAccount tries what products ship with.
func TestBootstrap_NoDefaultAccount(t *testing.T) {
	c := open(t, at(noon))
	if admins, err := c.Admins(t.Context()); err != nil || len(admins) != 0 {
		t.Fatalf("a new database has %d admins, %v", len(admins), err)
	}
	for i, name := range []string{"admin", "root", "owner", "usher", "demo", ""} {
		for j, pass := range []string{"", "admin", name, "changeme", "usher"} {
			if _, err := c.SignIn(from(t.Context(), i*10+j), name, pass); err == nil {
				t.Errorf("SignIn(%q, %q) of a new database succeeded", name, pass)
			}
			c.forget(t, name)
		}
	}
}

// TestReset gives a way in and ends everything else when it is used.
func TestReset(t *testing.T) {
	c := open(t, at(noon))
	c.owner(t, "owner")
	before, err := c.SignIn(from(t.Context(), 1), "owner", password)
	if err != nil {
		t.Fatal(err)
	}
	old, first, err := c.ResetByName(t.Context(), "Owner")
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := c.Reset(as(t.Context(), old), old.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Enroll(from(t.Context(), 2), first.Reveal(), "", password+"2"); key(err) != admin.KeyToken {
		t.Errorf("the token before the last = %v, want %q", err, admin.KeyToken)
	}
	if _, _, err := c.Session(t.Context(), before.Token); err != nil {
		t.Errorf("the session before the token is used: %v", err)
	}
	if _, err := c.Enroll(from(t.Context(), 3), token.Reveal(), "ignored", password+"2"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Session(t.Context(), before.Token); err == nil {
		t.Error("a session outlives the reset of the password")
	}
	if _, err := c.SignIn(from(t.Context(), 4), "owner", password); key(err) != admin.KeySignIn {
		t.Errorf("the old password = %v", err)
	}
	if in, err := c.SignIn(from(t.Context(), 5), "owner", password+"2"); err != nil || in.Admin.Name != "owner" {
		t.Errorf("the new password = %+v, %v", in.Admin, err)
	}
	if _, _, err := c.ResetByName(t.Context(), "nobody"); key(err) != onboard.KeyNotFound {
		t.Errorf("ResetByName(nobody) = %v, want %q", err, onboard.KeyNotFound)
	}
}

// TestTOTP_RFC6238 are the test vectors of RFC 6238, appendix B, for SHA-1, of which
// six digits are shown.
func TestTOTP_RFC6238(t *testing.T) {
	for seconds, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		if got := admin.TOTPCode([]byte("12345678901234567890"), seconds/30); got != want[2:] {
			t.Errorf("the code at %d = %s, want %s", seconds, got, want[2:])
		}
	}
}

// TestTOTP_SignIn turns the second factor on, uses it, and a recovery code.
func TestTOTP_SignIn(t *testing.T) {
	now := noon
	c := open(t, func() time.Time { return now })
	me := c.owner(t, "owner")
	code := func(a admin.Admin, k secret.Secret, shift int64) string {
		raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(k.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		return admin.TOTPCode(raw, now.Unix()/30+shift)
	}
	reload := func() {
		var err error
		if me, err = c.Admin(t.Context(), me.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.OfferTOTP(as(t.Context(), me)); err != nil {
		t.Fatal(err)
	}
	reload()
	if _, _, err := c.ConfirmTOTP(as(t.Context(), me), "wrong wrong wrong", code(me, me.NextTOTP, 0)); key(err) != admin.KeyOldPassword {
		t.Errorf("ConfirmTOTP with a wrong password = %v", err)
	}
	if _, _, err := c.ConfirmTOTP(as(t.Context(), me), password, "000000"); key(err) != admin.KeyCode {
		t.Errorf("ConfirmTOTP with a wrong code = %v", err)
	}
	if in, err := c.SignIn(from(t.Context(), 1), "owner", password); err != nil || in.Pending {
		t.Errorf("before it is confirmed: pending %v, %v", in.Pending, err)
	}
	recovery, _, err := c.ConfirmTOTP(as(t.Context(), me), password, code(me, me.NextTOTP, 0))
	if err != nil || len(recovery) != 10 {
		t.Fatalf("ConfirmTOTP = %d recovery codes, %v; want 10", len(recovery), err)
	}
	reload()

	pending := func() string {
		t.Helper()
		in, err := c.SignIn(from(t.Context(), 2), "owner", password)
		if err != nil || !in.Pending {
			t.Fatalf("SignIn = pending %v, %v; want pending", in.Pending, err)
		}
		if _, _, err := c.Session(t.Context(), in.Token); err == nil {
			t.Error("the password alone opens a session")
		}
		return in.Token
	}
	token := pending()
	if _, err := c.SignInCode(from(t.Context(), 2), token, code(me, me.TOTP, 0)); key(err) != admin.KeyCode {
		t.Errorf("the code that confirmed = %v; want it used up", err)
	}
	now = now.Add(time.Minute)
	used := code(me, me.TOTP, -1) // of a clock that is half a minute late
	in, err := c.SignInCode(from(t.Context(), 3), token, used)
	if err != nil || in.Token == token {
		t.Fatalf("SignInCode = %v, the same token: %v", err, in.Token == token)
	}
	if _, _, err := c.Session(t.Context(), in.Token); err != nil {
		t.Error(err)
	}
	if _, err := c.SignInCode(from(t.Context(), 3), token, code(me, me.TOTP, 0)); err == nil {
		t.Error("the pending session was used twice")
	}
	token = pending()
	for what, code := range map[string]string{"a code used before": used, "one of two minutes ago": code(me, me.TOTP, -4), "letters": "abcdef", "none": ""} {
		if _, err := c.SignInCode(from(t.Context(), 4), token, code); key(err) != admin.KeyCode {
			t.Errorf("%s = %v, want %q", what, err, admin.KeyCode)
		}
	}
	now = now.Add(time.Minute)
	if _, err := c.SignInCode(from(t.Context(), 5), token, strings.ToLower(recovery[3])); err != nil {
		t.Errorf("a recovery code = %v", err)
	}
	token = pending()
	if _, err := c.SignInCode(from(t.Context(), 6), token, recovery[3]); key(err) != admin.KeyCode {
		t.Errorf("a recovery code again = %v", err)
	}
	now = now.Add(5 * time.Minute)
	if _, err := c.SignInCode(from(t.Context(), 7), token, recovery[4]); err == nil {
		t.Error("a pending session counts after five minutes")
	}
	reload()
	if _, err := c.DropTOTP(as(t.Context(), me), password); err != nil {
		t.Fatal(err)
	}
	if in, err := c.SignIn(from(t.Context(), 8), "owner", password); err != nil || in.Pending {
		t.Errorf("after it is off: pending %v, %v", in.Pending, err)
	}
}

// TestManage holds what owners cannot do.
func TestManage(t *testing.T) {
	c := open(t, at(noon))
	me := c.owner(t, "owner")
	if _, err := c.SetRole(as(t.Context(), me), me.ID, admin.Viewer, me.Version); key(err) != admin.KeyLastOwner {
		t.Errorf("the last owner gives up the role: %v", err)
	}
	if _, err := c.Remove(as(t.Context(), me), me.ID, me.Version); key(err) != admin.KeyNotYourself {
		t.Errorf("an owner removes themselves: %v", err)
	}
	invited, _, err := c.Create(as(t.Context(), me), "second", admin.Owner)
	if err != nil {
		t.Fatal(err)
	}
	// Somebody who has not chosen a password yet cannot manage anything.
	if _, err := c.Remove(as(t.Context(), invited), me.ID, me.Version); key(err) != admin.KeyLastOwner {
		t.Errorf("the only owner with a password is removed: %v", err)
	}
	other := c.owner(t, "other")
	if _, err := c.SetRole(as(t.Context(), other), me.ID, admin.Viewer, me.Version+7); key(err) != admin.KeyStale {
		t.Errorf("a change of another version: %v", err)
	}
	in, err := c.SignIn(from(t.Context(), 1), "owner", password)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.SetRole(as(t.Context(), other), me.ID, admin.Viewer, me.Version); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Session(t.Context(), in.Token); err == nil {
		t.Error("a session outlives a change of the role")
	}
	if got := c.last(t); got.Action != "admin.role" || got.Target != "owner" || got.Before != "owner" || got.After != "viewer" || got.Actor != "other" || got.Address != "192.0.2.1" {
		t.Errorf("the audit has %+v", got)
	}
	if _, _, err := c.Create(as(t.Context(), other), "ＯＴＨＥＲ", admin.Viewer); key(err) != admin.KeyTaken {
		t.Errorf("a name that differs by width and case: %v", err)
	}
	if _, err := c.Remove(as(t.Context(), other), me.ID, me.Version+1); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SignIn(from(t.Context(), 2), "owner", password); key(err) != admin.KeySignIn {
		t.Errorf("somebody removed signs in: %v", err)
	}
	if _, _, err := c.Create(as(t.Context(), other), "owner", admin.Viewer); err != nil {
		t.Errorf("the name of somebody removed is free again: %v", err)
	}
}

// TestDrawLogo shows that nothing of an upload survives but its pixels.
func TestDrawLogo(t *testing.T) {
	from := image.NewNRGBA(image.Rect(0, 0, 1024, 512))
	for y := range 512 {
		for x := range 1024 {
			from.Set(x, y, color.NRGBA{uint8(x / 4), 200, 0, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, from); err != nil {
		t.Fatal(err)
	}
	raw := append(b.Bytes(), "<script>alert(1)</script>"...)
	got, err := admin.DrawLogo(raw)
	if err != nil {
		t.Fatal(err)
	}
	p, err := png.Decode(bytes.NewReader(got))
	if err != nil || p.Bounds().Dx() != 256 || p.Bounds().Dy() != 128 || bytes.Contains(got, []byte("script")) {
		t.Errorf("DrawLogo = %v, %v; want 256×128 without the text", p.Bounds(), err)
	}
	if r, g, _, a := p.At(128, 64).RGBA(); r>>8 < 120 || r>>8 > 136 || g>>8 != 200 || a != 0xffff {
		t.Errorf("the middle is %d %d, want about 128 200", r>>8, g>>8)
	}
	bomb := bytes.Clone(b.Bytes())
	copy(bomb[16:24], []byte{0, 0, 0x80, 0, 0, 0, 0x80, 0}) // says it has 32768 × 32768 pixels
	for what, raw := range map[string][]byte{"SVG": []byte("<svg/>"), "half a picture": b.Bytes()[:100], "a bomb": bomb} {
		if _, err := admin.DrawLogo(raw); key(err) != admin.KeyPicture {
			t.Errorf("DrawLogo(%s) = %v, want %q", what, err, admin.KeyPicture)
		}
	}
}
