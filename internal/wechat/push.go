package wechat

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
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
	return r.openPush(rawQuery, body, nil)
}

func (r *Receiver) openPush(rawQuery string, body []byte, n *notes) (onboard.Push, error) {
	q, err := parseQuery(rawQuery, n)
	if err != nil {
		return onboard.Push{}, err
	}
	if !n.check(onboard.CheckEncryptType, q.encryptType == "aes", q.encryptType) || !n.check(onboard.CheckShape, isHex40(q.msgSignature), q.msgSignature) {
		return onboard.Push{}, RefusedShape
	}
	appID, encrypt, err := readEnvelope(string(body))
	if !n.check(onboard.CheckEnvelope, err == nil, "") {
		return onboard.Push{}, RefusedEnvelope
	}
	if !n.check(onboard.CheckOuterAppID, appID == string(r.AppID), appID) {
		return onboard.Push{}, fmt.Errorf("%w: outer AppId", RefusedAppID)
	}
	message, err := r.open(q, encrypt, n)
	if err != nil {
		return onboard.Push{}, err
	}
	return r.content(q.time(), message.Plain, n)
}

// readEnvelope reads the outer XML.
func readEnvelope(body string) (appID, encrypt string, err error) {
	outer, err := readXML(body)
	if err != nil {
		return "", "", err
	}
	if appID, _, err = outer.only("AppId"); err != nil {
		return "", "", err
	}
	encrypt, ok, err := outer.only("Encrypt")
	if err == nil && !ok {
		err = errXML
	}
	return appID, encrypt, err
}

// open checks both signatures, then decrypts text, which is the very string that
// was signed.
func (r *Receiver) open(q query, text string, n *notes) (msgcrypt.Message, error) {
	// The three-input signature covers no content and decides nothing, but one
	// that is wrong shows that the query was tampered with.
	if q.hasSignature && !n.check(onboard.CheckURLSignature, r.Cipher.VerifyURL(q.timestamp, q.nonce, q.signature), "") {
		if n != nil {
			_, _ = n.openSigned(r.Cipher, q, text) // decides nothing any more
		}
		return msgcrypt.Message{}, RefusedSignature
	}
	message, err := n.openSigned(r.Cipher, q, text)
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
func (r *Receiver) content(at time.Time, inner []byte, n *notes) (onboard.Push, error) {
	event, appID, err := parseEvent(string(inner))
	if !n.check(onboard.CheckContent, err == nil, string(event.Type)) {
		return onboard.Push{}, fmt.Errorf("%w: %w", RefusedContent, err)
	}
	if !n.check(onboard.CheckInnerAppID, appID == string(r.AppID), appID) {
		return onboard.Push{}, fmt.Errorf("%w: inner AppId", RefusedAppID)
	}
	window := r.Window
	if window == 0 {
		window = DefaultWindow
	}
	apart := event.CreatedAt.Sub(at).Abs()
	if !event.CreatedAt.IsZero() && !n.check(onboard.CheckWindow, apart <= window, strconv.FormatInt(int64(apart/time.Second), 10)) {
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
	q, err := parseQuery(rawQuery, nil)
	if err != nil {
		return "", err
	}
	if q.msgSignature != "" {
		if !isHex40(q.msgSignature) {
			return "", RefusedShape
		}
		message, err := r.open(q, q.echo, nil)
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
func parseQuery(raw string, n *notes) (query, error) {
	values, err := url.ParseQuery(raw)
	for _, v := range values {
		if len(v) != 1 {
			err = RefusedShape
		}
	}
	if !n.check(onboard.CheckQuery, err == nil, strconv.Itoa(len(values))) {
		return query{}, RefusedShape
	}
	q := query{
		timestamp: values.Get("timestamp"), nonce: values.Get("nonce"), encryptType: values.Get("encrypt_type"),
		msgSignature: values.Get("msg_signature"), signature: values.Get("signature"),
		hasSignature: values.Has("signature"), echo: values.Get("echostr"),
	}
	if !n.check(onboard.CheckTimestamp, len(q.timestamp) == 10 && isDigits(q.timestamp), q.timestamp) || !n.check(onboard.CheckNonce, isAlnum(q.nonce, 32), q.nonce) {
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
