package admin

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Entry is one row of the audit: who did what to what. It never holds a secret.
type Entry struct {
	Seq       int64 // 1, 2, 3 … without a gap
	At        time.Time
	ActorID   string // of the admin; empty for nobody signed in, and for the program
	Actor     string // the name at that time
	Action    string // noun.verb, such as "invite.create"
	Target    string // what it was done to, such as an AppID
	Before    string // what changed, as short text or JSON; empty for nothing
	After     string
	Address   string
	RequestID string
	Prev      string // Hash of the row before; empty for the first
	Hash      string
}

// Sum is the hash of a row that follows one with hash prev: SHA-256 over prev and
// the row as a JSON array without white space, as encoding/json writes it when it
// leaves <, > and & as they are, so that other programs can check a copy. The time
// counts in milliseconds, as it is stored.
func (e Entry) Sum(prev string) string {
	var row bytes.Buffer
	enc := json.NewEncoder(&row)
	enc.SetEscapeHTML(false)
	if err := enc.Encode([]any{prev, e.Seq, e.At.UnixMilli(), e.ActorID, e.Actor, e.Action, e.Target, e.Before, e.After, e.Address, e.RequestID}); err != nil {
		panic(err) // strings and numbers only
	}
	sum := sha256.Sum256(bytes.TrimSuffix(row.Bytes(), []byte("\n")))
	return hex.EncodeToString(sum[:])
}

// Filter chooses rows of the audit. Zero members choose all.
type Filter struct {
	Actor, Action, Target string // Actor exactly; Action and Target by their beginning
	From, Until           time.Time
	Before                int64 // rows with a smaller Seq, for the next page
	Limit                 int
}
