package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/store"
)

var t0 = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// authorize stores an account with tokens named after it.
func authorize(t testing.TB, s *store.Store, appID onboard.AppID) {
	t.Helper()
	code := "code of " + string(appID)
	c, err := s.ClaimExchange(t.Context(), code, "", t0, t0.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.FinishExchange(t.Context(), onboard.Arrived{
		CodeHash: code, Fence: c.Fence, AppID: appID, At: t0, Now: t0, DueAt: t0.Add(time.Hour), Standing: onboard.Active,
		Tokens: onboard.Tokens{Access: secret.New("canary-access-" + string(appID)), Life: 2 * time.Hour, Refresh: secret.New("canary-refresh-" + string(appID))},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWrongKey(t *testing.T) {
	databases := func(t *testing.T, test func(t *testing.T, database string)) {
		t.Run("SQLite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "usher.db")) })
		t.Run("PostgreSQL", func(t *testing.T) { test(t, postgres.Start(t).Database(t)) })
	}
	databases(t, func(t *testing.T, database string) {
		parse := func(keys ...string) *secret.Ring {
			r, err := secret.ParseRing(strings.Join(keys, ","))
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		use := func(ring *secret.Ring) (hash string, err error) {
			s, err := store.Open(t.Context(), store.Options{Database: database, Platform: platform, Ring: ring})
			if err != nil {
				return "", err
			}
			return s.Hasher().Hash("p", "v"), s.Close()
		}
		oldKey, newKey := secret.NewKey(), secret.NewKey()
		first, err := use(parse(oldKey))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := use(parse(newKey)); !errors.Is(err, store.ErrWrongKey) || !strings.Contains(err.Error(), "USHER_SECRET_KEY") {
			t.Errorf("Open with another key = %v, want ErrWrongKey that names USHER_SECRET_KEY", err)
		}
		// The new key in front: the hash key stays, and is sealed with the new key
		// from then on, so that the old one can go.
		for _, ring := range []*secret.Ring{parse(oldKey), parse(newKey, oldKey), parse(newKey)} {
			if again, err := use(ring); err != nil || again != first {
				t.Errorf("Hasher().Hash = %q, %v; want %q", again, err, first)
			}
		}
		// Another platform has a hash key of its own.
		s := open(t, store.Options{Database: database, Platform: "wxother", Ring: parse(newKey)})
		if other := s.Hasher().Hash("p", "v"); other == first {
			t.Error("two platforms share a hash key")
		}
	})
}

// plant stores a canary by every method that takes a secret.
func plant(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	for _, id := range []onboard.AppID{"wx1", "wx2"} {
		authorize(t, s, id)
	}
	due, err := s.ClaimDue(ctx, t0.Add(time.Hour), t0.Add(2*time.Hour), 1)
	if err != nil || len(due) != 1 {
		t.Fatal(due, err)
	}
	fence, _, err := s.ClaimPlatformToken(ctx, t0, t0.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	_, refreshErr := s.SaveRefreshed(ctx, []onboard.Refreshed{{AppID: due[0].AppID, Fence: due[0].Fence, WasDueAt: due[0].DueAt, Now: t0, DueAt: t0.Add(time.Hour),
		Tokens: onboard.Tokens{Access: secret.New("canary-access-2"), Life: time.Hour, Refresh: secret.New("canary-refresh-2")}}})
	_, arrivalErr := s.SaveArrival(ctx, onboard.Arrival{Digest: "d", ReceivedAt: t0, Payload: secret.New("<xml>canary-payload</xml>")})
	_, ticketErr := s.SaveTicket(ctx, onboard.Ticket{Value: secret.New("ticket@@@canary-ticket"), CreatedAt: t0, ReceivedAt: t0})
	err = errors.Join(refreshErr, arrivalErr, ticketErr,
		s.SavePlatformToken(ctx, onboard.PlatformToken{Value: secret.New("canary-platform-token"), FetchedAt: t0, ExpiresAt: t0, Fence: fence}),
		s.SaveLink(ctx, onboard.DashboardLink{Hash: "h", Token: secret.New("canary-link"), AppID: "wx1", CreatedAt: t0}),
		s.CreateAdmin(ctx, admin.Admin{ID: "a", Name: "Ann", Role: admin.Owner, TOTP: secret.New("canary-totp"), NextTOTP: secret.New("canary-next"), Recovery: []string{"r"}}),
		s.SaveSession(ctx, admin.Session{Hash: "s", ID: "s", AdminID: "a", EndsAt: t0.Add(time.Hour)}),
		s.SavePlatformSecret(ctx, admin.ComponentSecret, secret.New("canary-component-secret"), "Ann", t0))
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoPlaintextSecrets looks for the canaries in the file and its log as they
// are on the disk, while the store is open and after it was closed.
func TestNoPlaintextSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	s, err := store.Open(t.Context(), store.Options{Database: path, Platform: platform, Ring: newRing(t)})
	if err != nil {
		t.Fatal(err)
	}
	plant(t, s)
	look := func(when string, names ...string) {
		t.Helper()
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil || len(b) == 0 {
				t.Fatalf("%s: read %d bytes of %s: %v", when, len(b), name, err)
			}
			if i := strings.Index(string(b), "canary"); i >= 0 {
				t.Errorf("%s: %s holds %q", when, filepath.Base(name), b[i:min(i+30, len(b))])
			}
		}
	}
	look("open", path, path+"-wal")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	look("closed", path)
}

func TestNoPlaintextSecrets_PostgreSQL(t *testing.T) {
	address := postgres.Start(t).Database(t)
	plant(t, openAt(t, address, newRing(t)))
	c, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	var dump string
	if err := c.QueryRow(t.Context(), `SELECT schema_to_xml('public', true, false, '')::text`).Scan(&dump); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(dump, "<appid>wx1</appid>") {
		t.Fatal("the dump does not hold the rows")
	}
	if i := strings.Index(dump, "canary"); i >= 0 {
		t.Errorf("the database holds %q", dump[i:min(i+30, len(dump))])
	}
}

// TestMovedSecrets: a sealed value that somebody moved to another row or column
// does not open there. Upkeep goes on with the other accounts.
func TestMovedSecrets(t *testing.T) {
	for name, change := range map[string]string{
		"another row":    `UPDATE account SET refresh_token = (SELECT refresh_token FROM account WHERE appid = 'wx2') WHERE appid = 'wx1'`,
		"another column": `UPDATE account SET refresh_token = access_token WHERE appid = 'wx1'`,
		"a flipped byte": `UPDATE account SET refresh_token = substr(refresh_token, 1, 40) || CASE substr(refresh_token, 41, 1) WHEN 'A' THEN 'B' ELSE 'A' END || substr(refresh_token, 42) WHERE appid = 'wx1'`,
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			s := open(t, store.Options{Database: filepath.Join(t.TempDir(), "usher.db"), Platform: platform, Ring: newRing(t),
				Log: slog.New(slog.NewTextHandler(&log, nil))})
			authorize(t, s, "wx1")
			authorize(t, s, "wx2")
			if err := s.Write(t.Context(), nil, change); err != nil {
				t.Fatal(err)
			}
			if c, err := s.Credentials(t.Context(), "wx1"); !errors.Is(err, secret.ErrUnsealed) || !c.Refresh.Empty() || !c.Access.Empty() {
				t.Errorf("Credentials = %v, %v; want nothing but ErrUnsealed", c, err)
			}
			due, err := s.ClaimDue(t.Context(), t0.Add(time.Hour), t0.Add(2*time.Hour), 9)
			if err != nil || len(due) != 2 {
				t.Fatalf("ClaimDue = %d accounts, %v; want 2", len(due), err)
			}
			for _, d := range due {
				want := map[onboard.AppID]string{"wx1": "", "wx2": "canary-refresh-wx2"}[d.AppID]
				if d.Refresh.Reveal() != want {
					t.Errorf("refresh token of %s = %q, want %q", d.AppID, d.Refresh.Reveal(), want)
				}
			}
			if text := log.String(); !strings.Contains(text, "wx1") || strings.Contains(text, "canary") {
				t.Errorf("log = %q, want the account and no secret", text)
			}
		})
	}
}

// TestPayloadIsWiped: what was handled is not kept, what a person has to see is.
func TestPayloadIsWiped(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "usher.db"), newRing(t))
	for i, outcome := range []onboard.Outcome{onboard.Handled, onboard.Ignored, onboard.Attached, onboard.Parked} {
		if _, err := s.SaveArrival(t.Context(), onboard.Arrival{Digest: fmt.Sprint(outcome), ReceivedAt: t0, Payload: secret.New("p")}); err != nil {
			t.Fatal(err)
		}
		got, err := s.ClaimArrivals(t.Context(), t0, t0.Add(time.Minute), 1, "")
		if err != nil || len(got) != 1 {
			t.Fatal(i, got, err)
		}
		if err := s.FinishArrivals(t.Context(), []onboard.ArrivalEnd{{ID: got[0].ID, Fence: got[0].Fence, Outcome: outcome}}, t0); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := s.Strings(t.Context(), `SELECT digest FROM arrival WHERE payload <> ''`)
	if err != nil || len(kept) != 1 || kept[0] != string(onboard.Parked) {
		t.Errorf("payloads kept: %q, %v; want that of the parked one", kept, err)
	}
}
