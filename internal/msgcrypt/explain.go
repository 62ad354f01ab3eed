package msgcrypt

// Check names one of the checks that a signed message goes through.
type Check string

// The checks, in their order. Those after CheckLength are made with each key.
const (
	CheckSignature Check = "signature" // signed with one of our tokens
	CheckBase64    Check = "base64"
	CheckLength    Check = "length"  // whole blocks, and enough of them
	CheckPadding   Check = "padding" // the key is the right one, nearly always
	CheckSize      Check = "size"    // the length that stands before the message
	CheckAppID     Check = "appid"   // sealed for us
)

// Age tells a value in use from the one before it.
type Age int

// The ages of a token or a key; zero where there is none to tell.
const (
	Current Age = 1 + iota
	Previous
)

// Step is how one check ended. It holds nothing of the message.
type Step struct {
	Check Check
	Age   Age // of the token or the key it was made with
	OK    bool
	N     int    // bytes: of the ciphertext, of the padding, of the message
	AppID string // for whom it was sealed, where that can be read
}

// Trace is what the opening of one message came upon.
type Trace struct {
	Steps []Step
	// Plain is the message when a key opened it, also when the signature was
	// wrong: it is for the eyes of the operator and proves nothing.
	Plain []byte
}

func (t *Trace) add(s Step) {
	if t != nil {
		t.Steps = append(t.Steps, s)
	}
}

// Explain is [Cipher.OpenSigned] with what it came upon. The verdict is the same
// one. After a wrong signature the cipher is looked at all the same, which tells a
// wrong token from a message that is not for us at all.
func (c *Cipher) Explain(timestamp, nonce, encrypt, signature string) (Trace, error) {
	var t Trace
	_, err := c.openSigned(timestamp, nonce, encrypt, signature, &t)
	return t, err
}

// readableAppID is the suffix of a message when it is like an AppID.
func readableAppID(b []byte) string {
	for _, c := range b {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
			return ""
		}
	}
	if len(b) > 32 {
		return ""
	}
	return string(b)
}
