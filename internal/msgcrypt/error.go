package msgcrypt

import "fmt"

// The codes of WeChat's own sample code (WXBizMsgCrypt), which its forum and
// its support use. They never travel over the wire.
const (
	CodeSignature = -40001 // ValidateSignatureError
	CodeKey       = -40004 // IllegalAesKey
	CodeAppID     = -40005 // ValidateAppidError
	CodeDecrypt   = -40007 // DecryptAESError: wrong key, length or padding
	CodeBuffer    = -40008 // IllegalBuffer: the decrypted bytes are malformed
	CodeDecode    = -40010 // DecodeBase64Error
)

// Error says why a message or a key was refused. It holds no content.
type Error struct {
	Code   int // one of the Code constants
	Reason string
}

// ErrKey is matched by every error of [New].
var ErrKey = &Error{CodeKey, "bad key"}

func (e *Error) Error() string { return fmt.Sprintf("msgcrypt: %d: %s", e.Code, e.Reason) }

// Is reports whether target is an [*Error] of the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}
