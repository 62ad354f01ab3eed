package web

import (
	"net/http"
	"strings"
	"testing"

	"usher/internal/onboard"
)

// When the attempt tells why a press failed, its page is the answer.
func TestBlockedHandOff(t *testing.T) {
	blocked := waiting()
	blocked.Blocked, blocked.BlockedAt = onboard.KeyBlockedTicket, noon
	for _, path := range []string{"/q/7K3M9Q2X/go", "/i/7K3M9Q2XAB/go", "/c/abcdefghijklmnopqrstuvwxyz/pc"} {
		service := reading(blocked, nil)
		service.handOff = func() (string, error) {
			return "", onboard.Errorf(onboard.Unavailable, onboard.KeyBlockedTicket, "no ticket")
		}
		h, _, log := site(t, service, nil)
		w := ask(h, "POST", path, "")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(log.String(), "no ticket") {
			t.Errorf("POST %s = %d, Retry-After %q, log %s", path, w.Code, w.Header().Get("Retry-After"), log)
		}
	}
}

func TestHandOffSendsOn(t *testing.T) {
	const link = "https://open.weixin.qq.com/wxaopen/safe/bindcomponent?action=bindcomponent#wechat_redirect"
	service := reading(waiting(), nil)
	service.handOff = func() (string, error) { return link, nil }
	h, _, _ := site(t, service, nil)
	w := ask(h, "POST", "/q/7K3M9Q2X/go", "")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != link || w.Body.Len() != 0 {
		t.Errorf("POST /q/…/go = %d to %q with %q, want 303 to %q without a page", w.Code, w.Header().Get("Location"), w.Body, link)
	}
}
