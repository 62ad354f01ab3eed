package onboard

import "fmt"

// Reaction is what an answer of WeChat asks of us. The classes follow the
// official list of global return codes.
type Reaction int

// The reactions, from harmless to final.
const (
	Backoff         Reaction = iota // try again later, with jitter: busy, time-out, 5xx, not JSON
	RefreshPlatform                 // the platform token is not accepted: drop it if still the one used, fetch, retry once
	RefreshAccount                  // the same for an account's access token
	AwaitTicket                     // the ticket is missing, old or wrong: start the push again and wait
	Configure                       // the operator must change something; retrying does not help
	Quota                           // the day's or the minute's calls are used up
	Reauthorize                     // the account may have withdrawn; verify with the list before believing it
	MissingScope                    // a permission set was not granted
	CodeSpent                       // an authorization code was used or has expired
	Show                            // a fact about the account; tell the admin
	Bug                             // our request is wrong
)

// UpstreamError is a refusal of WeChat or a failure on the way there.
type UpstreamError struct {
	API      string   // last path segment, such as "api_query_auth"
	Code     int      // errcode; 0 when there was no readable answer
	RID      string   // WeChat's request id, which its support asks for
	IP       string   // the caller address WeChat names when it refuses it
	Reaction Reaction // what to do
	// Unknown is true when WeChat may have acted although no answer arrived: a
	// code sent in such a call may be spent.
	Unknown bool
	Err     error // the cause without any token, code or query in it
}

func (e *UpstreamError) Error() string {
	switch {
	case e.Code != 0 && e.RID != "":
		return fmt.Sprintf("%s: errcode %d rid %s: %v", e.API, e.Code, e.RID, e.Err)
	case e.Code != 0:
		return fmt.Sprintf("%s: errcode %d: %v", e.API, e.Code, e.Err)
	}
	return fmt.Sprintf("%s: %v", e.API, e.Err)
}

func (e *UpstreamError) Unwrap() error { return e.Err }
