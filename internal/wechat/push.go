package wechat

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"time"

	"usher/internal/msgcrypt"
	"usher/internal/onboard"
	"usher/internal/secret"
)

// Refusal is the class of the reason for which a push is refused, for counting.
// The errors of a [Receiver] match one of them by errors.Is and hold no content.
type Refusal string

// The classes, in the order of the checks.
const (
	RefusedShape     Refusal = "shape"     // query not as WeChat writes it
	RefusedEnvelope  Refusal = "envelope"  // outer XML unreadable
	RefusedAppID     Refusal = "appid"     // for another platform, in any of three places
	RefusedSignature Refusal = "signature" // not signed with our token
	RefusedDecrypt   Refusal = "decrypt"   // not sealed with our key
	RefusedContent   Refusal = "content"   // inner XML unreadable, or lacks what its type needs
	RefusedTime      Refusal = "time"      // content much older or newer than the query
)

func (r Refusal) Error() string { return "push refused: " + string(r) }

// DefaultWindow is how far apart the time of a push and the time of what it
// tells may be.
const DefaultWindow = 7 * 24 * time.Hour

// Receiver verifies and opens the pushes to the authorization-event URL
// (授权事件接收URL). It is safe for concurrent use.
type Receiver struct {
	Cipher *msgcrypt.Cipher
	AppID  onboard.AppID // ours
	// Window is the largest distance between the timestamp of the query and the
	// CreateTime of the content; 0 means DefaultWindow. The signature does not
	// tell timestamp and nonce apart, so both can change places; a random nonce
	// is hardly ever a time near the true one. It is no limit for late pushes by
	// our clock: those are legal, and order is kept by CreateTime.
	Window time.Duration
}

// OpenPush checks a push, given its raw query and its body, and returns its
// content. An InfoType that nobody acts on is returned too, with its type.
func (r *Receiver) OpenPush(rawQuery string, body []byte) (onboard.Push, error) {
	q, err := parseQuery(rawQuery)
	if err != nil {
		return onboard.Push{}, err
	}
	if q.encryptType != "aes" || !isHex40(q.msgSignature) {
		return onboard.Push{}, RefusedShape
	}
	outer, err := readXML(string(body))
	if err != nil {
		return onboard.Push{}, RefusedEnvelope
	}
	appID, _, err := outer.only("AppId")
	if err != nil {
		return onboard.Push{}, RefusedEnvelope
	}
	encrypt, ok, err := outer.only("Encrypt")
	if err != nil || !ok {
		return onboard.Push{}, RefusedEnvelope
	}
	if appID != string(r.AppID) {
		return onboard.Push{}, fmt.Errorf("%w: outer AppId", RefusedAppID)
	}
	message, err := r.open(q, encrypt)
	if err != nil {
		return onboard.Push{}, err
	}
	return r.content(q.time(), message.Plain)
}

// open checks both signatures, then decrypts text, which is the very string that
// was signed.
func (r *Receiver) open(q query, text string) (msgcrypt.Message, error) {
	// The three-input signature covers no content and decides nothing, but one
	// that is wrong shows that the query was tampered with.
	if q.hasSignature && !r.Cipher.VerifyURL(q.timestamp, q.nonce, q.signature) {
		return msgcrypt.Message{}, RefusedSignature
	}
	message, err := r.Cipher.OpenSigned(q.timestamp, q.nonce, text, q.msgSignature)
	if err == nil {
		return message, nil
	}
	switch e, _ := errors.AsType[*msgcrypt.Error](err); {
	case e != nil && e.Code == msgcrypt.CodeSignature:
		return msgcrypt.Message{}, RefusedSignature
	case e != nil && e.Code == msgcrypt.CodeAppID:
		return msgcrypt.Message{}, fmt.Errorf("%w: %w", RefusedAppID, err)
	}
	return msgcrypt.Message{}, fmt.Errorf("%w: %w", RefusedDecrypt, err)
}

// content reads the inner XML of a push that was sent at.
func (r *Receiver) content(at time.Time, inner []byte) (onboard.Push, error) {
	event, appID, err := parseEvent(string(inner))
	if err != nil {
		return onboard.Push{}, fmt.Errorf("%w: %w", RefusedContent, err)
	}
	if appID != string(r.AppID) {
		return onboard.Push{}, fmt.Errorf("%w: inner AppId", RefusedAppID)
	}
	window := r.Window
	if window == 0 {
		window = DefaultWindow
	}
	if !event.CreatedAt.IsZero() && event.CreatedAt.Sub(at).Abs() > window {
		return onboard.Push{}, RefusedTime
	}
	sum := sha256.Sum256(inner)
	return onboard.Push{Event: event, Digest: hex.EncodeToString(sum[:]), Payload: secret.New(string(inner))}, nil
}

// Echo answers the check of an address, a GET with an echostr, with the text to
// send back. No page of the third-party platforms describes one; both forms of
// WeChat's other consoles are understood: a plain echostr under the three-input
// signature, and a sealed one under msg_signature.
func (r *Receiver) Echo(rawQuery string) (string, error) {
	q, err := parseQuery(rawQuery)
	if err != nil {
		return "", err
	}
	if q.msgSignature != "" {
		if !isHex40(q.msgSignature) {
			return "", RefusedShape
		}
		message, err := r.open(q, q.echo)
		return string(message.Plain), err
	}
	// The text goes back as it came, so it must not be able to be anything else.
	if !q.hasSignature || !isAlnum(q.echo, 128) {
		return "", RefusedShape
	}
	if !r.Cipher.VerifyURL(q.timestamp, q.nonce, q.signature) {
		return "", RefusedSignature
	}
	return q.echo, nil
}

// query is the query of a push.
type query struct {
	timestamp, nonce, encryptType, msgSignature, signature, echo string
	hasSignature                                                 bool
}

// parseQuery accepts only shapes that WeChat sends. They also close most of what
// a signature without separators allows: a nonce of at most 32 letters and
// digits takes no whole block of the ciphertext, nor base64's other characters.
func parseQuery(raw string) (query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return query{}, RefusedShape
	}
	for _, v := range values {
		if len(v) != 1 {
			return query{}, RefusedShape
		}
	}
	q := query{
		timestamp: values.Get("timestamp"), nonce: values.Get("nonce"), encryptType: values.Get("encrypt_type"),
		msgSignature: values.Get("msg_signature"), signature: values.Get("signature"),
		hasSignature: values.Has("signature"), echo: values.Get("echostr"),
	}
	if len(q.timestamp) != 10 || !isDigits(q.timestamp) || !isAlnum(q.nonce, 32) {
		return query{}, RefusedShape
	}
	return q, nil
}

// time is the timestamp, whose shape was checked.
func (q query) time() time.Time {
	var seconds int64
	for i := range len(q.timestamp) {
		seconds = seconds*10 + int64(q.timestamp[i]-'0')
	}
	return time.Unix(seconds, 0)
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// isAlnum reports whether s is 1 to limit ASCII letters and digits.
func isAlnum(s string, limit int) bool {
	for i := range len(s) {
		c := s[i]
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
			return false
		}
	}
	return s != "" && len(s) <= limit
}

func isHex40(s string) bool {
	for i := range len(s) {
		if c := s[i]; !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return len(s) == 40
}
