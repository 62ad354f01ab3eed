package main

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"usher/internal/msgcrypt"
	"usher/internal/simulator"
)

// TestPush_Unknown pushes events that nobody has documented yet. They are stored,
// acknowledged and otherwise left alone.
func TestPush_Unknown(t *testing.T) {
	w := startAll(t, options{quiet: true})
	w.ticket()
	w.merchant(anyMini()).agree(simulator.TeaHouse)
	w.deliver()
	pushes := map[string]string{
		"invented_in_2031": "<Whatever>1</Whatever>",
		"notify_3rd_party": "<appid>" + simulator.TeaHouse + "</appid><list><item>1</item><item>2</item></list>",
	}
	for infoType, rest := range pushes {
		for range 2 { // WeChat repeats what it has no answer to
			if status, answer := w.push(infoType, rest); status != http.StatusOK || answer != "success" {
				t.Errorf("%s is answered %d %q, want 200 success", infoType, status, answer)
			}
		}
	}
	w.settle()
	w.holds(simulator.TeaHouse)
	w.calm()
	if err := w.stopSite(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", string(w.cfg.Database))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for infoType := range pushes {
		var rows int
		var outcome string
		if err := db.QueryRow("SELECT COUNT(*), MIN(outcome) FROM arrival WHERE type = ?", infoType).Scan(&rows, &outcome); err != nil {
			t.Fatal(err)
		}
		if rows != 1 || outcome != "ignored" {
			t.Errorf("%s: %d rows with outcome %q, want one that was ignored", infoType, rows, outcome)
		}
	}
}

// pushCreated is the CreateTime of all pushes of our own making: the same each time,
// as when WeChat repeats one, and recent, because old ones are refused.
var pushCreated = time.Now().Unix()

// push sends an event of our own making, as WeChat would, and returns the answer.
func (w *world) push(infoType, rest string) (status int, answer string) {
	w.t.Helper()
	status, answer, err := w.tryPush(infoType, rest)
	if err != nil {
		w.t.Fatal(err)
	}
	return status, answer
}

// tryPush is push where the site may be stopping.
func (w *world) tryPush(infoType, rest string) (status int, answer string, err error) {
	crypt, err := msgcrypt.New(msgcrypt.Keys{AppID: platformAppID, Token: pushToken, AESKey: pushKey})
	if err != nil {
		return 0, "", err
	}
	sealed := crypt.Seal(fmt.Appendf(nil, "<xml><AppId>%s</AppId><CreateTime>%d</CreateTime><InfoType>%s</InfoType>%s</xml>",
		platformAppID, pushCreated, infoType, rest))
	timestamp := fmt.Sprint(time.Now().Unix())
	query := url.Values{"timestamp": {timestamp}, "nonce": {"1"}, "encrypt_type": {"aes"},
		"msg_signature": {crypt.Signature(timestamp, "1", sealed)}}
	resp, err := http.Post(w.base+"/wechat/events?"+query.Encode(), "text/xml",
		strings.NewReader("<xml><AppId>"+platformAppID+"</AppId><Encrypt>"+sealed+"</Encrypt></xml>"))
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}
