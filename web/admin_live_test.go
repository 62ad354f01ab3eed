package web

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"usher/internal/admin"
	"usher/internal/onboard"
)

// firstEvent is the recorder of a browser that leaves a live page after its first
// drawing.
type firstEvent struct {
	*httptest.ResponseRecorder
	leave context.CancelFunc
}

func (f firstEvent) Write(b []byte) (int, error) {
	n, err := f.ResponseRecorder.Write(b)
	if bytes.Contains(f.Body.Bytes(), []byte("event: state")) {
		f.leave()
	}
	return n, err
}

// glimpse asks for a live page and leaves.
func (w *consoleWorld) glimpse(path, cookie string) *httptest.ResponseRecorder {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	r.Host = "open.example.com"
	r.Header.Set("Cookie", cookie)
	answer := httptest.NewRecorder()
	w.ServeHTTP(firstEvent{answer, cancel}, r)
	return answer
}

// TestInviteLive streams the state of an invite, and ends when the session does.
func TestInviteLive(t *testing.T) {
	w := newConsole(t, nil)
	server := httptest.NewServer(w)
	defer server.Close()
	a := w.invite(onboard.Invitation{})
	cookie := w.signedIn(admin.Viewer)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/admin/invites/"+a.ID+"/live", nil)
	w.ok(err)
	r.Header.Set("Cookie", cookie)
	r.Header.Set("Accept-Language", "zh-CN")
	answer, err := http.DefaultClient.Do(r)
	w.ok(err)
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	until := func(text string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(html.UnescapeString(lines.Text()), text) {
				return
			}
		}
		t.Fatalf("the stream ended before %q: %v", text, lines.Err())
	}
	until("还没打开")
	w.ok(w.svc.Opened(ctx, a.ID))
	until("已打开")
	_, err = w.svc.CancelInvite(ctx, a.ID)
	w.ok(err)
	until("已撤回")
	_, err = w.site.Console.Admin(ctx, w.admins[admin.Viewer].ID)
	w.ok(err)
	_, err = w.db.EndSessions(ctx, w.admins[admin.Viewer].ID, "")
	w.ok(err)
	_, err = w.svc.Resend(ctx, w.invite(onboard.Invitation{}).ID, "x", 0) // somebody else goes on
	w.ok(err)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "event: state") {
			t.Error("the stream goes on after the session")
		}
	}
}

// TestGlance: a page that is left open does not keep anybody signed in.
func TestGlance(t *testing.T) {
	w := newConsole(t, nil)
	cookie := w.signedIn(admin.Viewer)
	seen := func() time.Time {
		t.Helper()
		all, err := w.site.Console.Sessions(t.Context(), w.admins[admin.Viewer].ID)
		w.ok(err)
		return all[0].SeenAt
	}
	begin := seen()
	w.now = w.now.Add(20 * time.Minute)
	wants(t, "the live part", w.glimpse("/admin/live", cookie), http.StatusOK, "data-part=")
	if got := seen(); !got.Equal(begin) {
		t.Errorf("the session was used at %v, want %v", got, begin)
	}
	w.get("/admin", cookie)
	if got := seen(); !got.Equal(w.now) {
		t.Errorf("the session was used at %v, want %v", got, w.now)
	}
}
