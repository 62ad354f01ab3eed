package web

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"
)

// sessionLife is how long a browser is recognized: as long as an invite lives. A
// session is comfort only; whoever has the link of an attempt can go on without.
const sessionLife = 7 * 24 * time.Hour

// browserSessions recognizes browsers by a cookie that holds nothing but a
// random id.
type browserSessions struct {
	store *sessions.CookieStore
	name  string
}

// newBrowserSessions makes the store for cookies called name that live for life. secure is decided by the configured public
// address, never by a request, so that no header can turn it off. keys are pairs
// of hash and block keys; the first pair writes.
func newBrowserSessions(secure bool, keys [][]byte, name string, life time.Duration) (*browserSessions, error) {
	if len(keys) == 0 || len(keys)%2 != 0 {
		return nil, fmt.Errorf("session keys come in pairs of hash and block key, got %d keys", len(keys))
	}
	store := sessions.NewCookieStore(keys...)
	for _, codec := range store.Codecs {
		sc, ok := codec.(*securecookie.SecureCookie)
		if !ok {
			return nil, errors.New("a session codec is not a securecookie")
		}
		sc.SetSerializer(idSerializer{})
		if _, err := sc.Encode("probe", map[any]any{idKey: "probe"}); err != nil {
			return nil, fmt.Errorf("session keys: %w", err)
		}
	}
	// The store's own defaults are SameSite=None and no HttpOnly. Lax lets the
	// cookie come with the redirect from WeChat, Strict would not.
	store.Options = &sessions.Options{Path: "/", Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	store.MaxAge(int(life / time.Second))
	return &browserSessions{store: store, name: cookieName(secure, name)}, nil
}

// cookieName binds a cookie to this host alone where the browser enforces it,
// which needs Secure and therefore https.
func cookieName(secure bool, name string) string {
	if secure {
		return "__Host-usher-" + name
	}
	return "usher-" + name
}

// id returns the id of the browser that asks, or "" when it has none that counts.
func (b *browserSessions) id(c echo.Context) string {
	if _, err := c.Cookie(b.name); err != nil {
		return ""
	}
	session, err := b.store.New(c.Request(), b.name)
	if err != nil {
		return "" // forged, too old, or of keys that were replaced
	}
	id, _ := session.Values[idKey].(string)
	return id
}

// begin returns the id of the browser that asks and makes one when it has none.
func (b *browserSessions) begin(c echo.Context) (string, error) {
	if id := b.id(c); id != "" {
		return id, nil
	}
	random := make([]byte, 32)
	rand.Read(random) // never fails
	id := base64.RawURLEncoding.EncodeToString(random)
	return id, b.set(c, id)
}

// set gives the browser an id in place of any it has.
func (b *browserSessions) set(c echo.Context, id string) error {
	return b.write(c, id, b.store.Options.MaxAge)
}

// forget takes the id away.
func (b *browserSessions) forget(c echo.Context) error { return b.write(c, "none", -1) }

func (b *browserSessions) write(c echo.Context, id string, maxAge int) error {
	session := sessions.NewSession(b.store, b.name)
	options := *b.store.Options
	options.MaxAge = maxAge
	session.Options = &options
	session.Values[idKey] = id
	if err := b.store.Save(c.Request(), c.Response(), session); err != nil {
		return fmt.Errorf("write the cookie of a session: %w", err)
	}
	return nil
}

// idKey is the only key in a session.
const idKey = "id"

// idSerializer writes the id alone, which is shorter than gob and five times as
// fast to read.
type idSerializer struct{}

func (idSerializer) Serialize(src any) ([]byte, error) {
	values, ok := src.(map[any]any)
	if !ok {
		return nil, fmt.Errorf("a session is not a %T", src)
	}
	id, ok := values[idKey].(string)
	if !ok {
		return nil, errors.New("a session has no id")
	}
	return []byte(id), nil
}

func (idSerializer) Deserialize(src []byte, dst any) error {
	values, ok := dst.(*map[any]any)
	if !ok {
		return fmt.Errorf("a session is not a %T", dst)
	}
	if *values == nil {
		*values = make(map[any]any, 1)
	}
	(*values)[idKey] = string(src)
	return nil
}
