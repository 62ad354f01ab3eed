package onboard

import (
	"context"
	"errors"
	"time"

	"usher/internal/secret"
)

// ErrNoRow is what a Store returns when a key is not there.
var ErrNoRow = errors.New("no such row")

// ErrFenced is what a Store returns when a claim was lost to another holder: the
// late write changed nothing.
var ErrFenced = errors.New("the claim was lost")

// Store is what the service asks of storage. One Store serves one platform.
// Every method is atomic and durable when it returns nil. Secrets are sealed
// before they reach the database. "now" is always an argument.
type Store interface {
	// SaveAttempt inserts a new attempt.
	SaveAttempt(ctx context.Context, a Attempt) error
	// Attempt, AttemptByPhoneCode and AttemptByInviteCode read one, or ErrNoRow.
	Attempt(ctx context.Context, id string) (Attempt, error)
	AttemptByPhoneCode(ctx context.Context, code string) (Attempt, error)
	AttemptByInviteCode(ctx context.Context, code string) (Attempt, error)
	// AttemptsBySession lists the newest attempts begun by a session, newest first.
	AttemptsBySession(ctx context.Context, session string, limit int) ([]Attempt, error)
	// AccountsBySession lists the accounts that came of attempts which a session
	// began or was handed off in, the newest first. Wrong accounts are left out.
	AccountsBySession(ctx context.Context, session string, limit int) ([]AppID, error)
	// ClaimOpened records the first opening and reports whether this call was it.
	ClaimOpened(ctx context.Context, id string, now time.Time) (bool, error)
	// SaveInvite gives an attempt that is not finished an invite code, a
	// recipient and a longer life. An attempt that has a code keeps it; the row
	// as it then is comes back.
	SaveInvite(ctx context.Context, id, code, recipient string, expires time.Time) (Attempt, error)
	// SaveAttempts inserts new attempts in one transaction.
	SaveAttempts(ctx context.Context, all []Attempt) error
	// SaveResent gives an invite that is neither finished nor canceled another end,
	// and reports whether there was one.
	SaveResent(ctx context.Context, id string, expires time.Time) (bool, error)
	// SaveCanceled ends an invite that is neither finished nor canceled, and reports
	// whether this call did.
	SaveCanceled(ctx context.Context, id string, now time.Time) (bool, error)
	// SaveBlocked records why an unfinished attempt cannot go on.
	SaveBlocked(ctx context.Context, id string, key Key, now time.Time) error
	// ClearBlocked lets every unfinished attempt blocked by one of keys go on, and
	// returns their ids.
	ClearBlocked(ctx context.Context, keys []Key, now time.Time) ([]string, error)

	// SaveHandoff inserts the hand-off and moves its attempt on, in one
	// transaction: HandedOffAt and CodeEndsAt are set; Blocked and ArrivedAt are
	// cleared unless the attempt is finished, because a new try begins.
	SaveHandoff(ctx context.Context, h Handoff) error
	// HandoffByState and HandoffByCode find a hand-off by a keyed hash, or ErrNoRow.
	HandoffByState(ctx context.Context, stateHash string) (Handoff, error)
	HandoffByCode(ctx context.Context, codeHash string) (Handoff, error)
	// Handoffs lists the hand-offs of one attempt, newest first.
	Handoffs(ctx context.Context, attemptID string) ([]Handoff, error)

	// SaveArrival stores an arrival unless its digest is known, and reports
	// whether it was new. Concurrent calls share one commit. When AttemptID is
	// set, the ArrivedAt of that attempt is set in the same commit if it was not
	// and the attempt is not finished.
	SaveArrival(ctx context.Context, a Arrival) (isNew bool, err error)
	// ClaimArrivals leases up to limit arrivals that are due, oldest first, until
	// the lease ends. Each claim raises Tries and Fence. Two callers never hold
	// the same arrival at one time. codeHash, when not empty, limits the claim to
	// arrivals of that code.
	ClaimArrivals(ctx context.Context, now, leaseUntil time.Time, limit int, codeHash string) ([]Arrival, error)
	// FinishArrivals ends or gives back claimed arrivals in one transaction. Those
	// whose claim was lost are left alone.
	FinishArrivals(ctx context.Context, ends []ArrivalEnd, now time.Time) error

	// ReviveArrival makes an arrival due at now for a person who asks for it: one
	// that is parked begins anew, one that waits for longer than lease does not wait
	// any more, and why it did is forgotten. ok is false for any other, and for one whose content is gone.
	ReviveArrival(ctx context.Context, id int64, now time.Time, lease time.Duration) (codeHash string, ok bool, err error)

	// ReviveParked makes up to limit parked arrivals due at now, the oldest first, and
	// counts them. Those whose content is gone stay.
	ReviveParked(ctx context.Context, now time.Time, limit int) (int64, error)

	// ClaimExchange takes the right to spend the code with hash codeHash. Only
	// one caller holds it until leaseUntil. handoffID, when not empty, makes a
	// code of the same hand-off count as the same exchange: while one of them is
	// held or done, the others are refused.
	ClaimExchange(ctx context.Context, codeHash, handoffID string, now, leaseUntil time.Time) (ExchangeClaim, error)
	// FinishExchange stores what the exchange brought (see Arrived) in one
	// transaction: the account with its grants and tokens (an empty token never
	// replaces a stored one; the account's replaced refresh token is kept beside
	// the new one), a row of grant history when the sets changed, the exchange as
	// done, and the attempt's end when there is one. It writes the account only
	// when neither a newer authorization nor a newer withdrawal is stored;
	// superseded then says so and the exchange and attempt are still finished.
	// ErrFenced when the claim was lost. The same call also sets Account.Wanted
	// when Wanted is not empty.
	FinishExchange(ctx context.Context, a Arrived) (superseded bool, err error)
	// MoveResult gives the result of the finished attempt from to the attempt to,
	// which is not finished, in one transaction: the push named to, and the push
	// wins over a redirect. from is open again as if nothing had arrived. from
	// may be empty; then the result is made of a alone. It does nothing when to is
	// already finished.
	MoveResult(ctx context.Context, codeHash, from, to string, a Arrived) error
	// FailExchange ends a claim without a result: final when the code is spent,
	// otherwise the claim is given back at once.
	FailExchange(ctx context.Context, codeHash string, fence int64, final bool, now time.Time) error

	// Account reads one account, or ErrNoRow.
	Account(ctx context.Context, appID AppID) (Account, error)
	// Credentials reads the tokens of one account, or ErrNoRow.
	Credentials(ctx context.Context, appID AppID) (Credentials, error)
	// SaveProfile stores the profile read at now, and the grants when they are
	// not nil. It never touches tokens.
	SaveProfile(ctx context.Context, appID AppID, p Profile, now time.Time) error
	// ClaimUnprofiled lists up to limit accounts without a profile whose last try
	// is older than before, and marks them as tried at now.
	ClaimUnprofiled(ctx context.Context, now, before time.Time, limit int) ([]AppID, error)
	// ClaimPictures lists up to limit accounts whose head image is not the one in
	// their profile and was last asked for before before, and marks them as tried at
	// now. After some tries without one it gives up until the profile has another.
	ClaimPictures(ctx context.Context, now, before time.Time, limit int) ([]WantedPicture, error)
	// SavePicture keeps png as the head image that was asked for, unless the profile
	// has another by now. An empty hash says that it was refused: the account has none.
	SavePicture(ctx context.Context, w WantedPicture, hash string, png []byte) error
	// Picture reads a kept head image, or ErrNoRow.
	Picture(ctx context.Context, hash string) ([]byte, error)
	// SaveRevoked tombstones an account unless its newest authorization is after
	// at, and reports whether it did. Finished attempts of the account show it. An
	// account that is not known yet gets a tombstone row, so that an older
	// authorization that is handled later does not revive it.
	SaveRevoked(ctx context.Context, appID AppID, at, now time.Time) (bool, error)
	// SaveGone tombstones an account of which WeChat's list proves that it is not
	// ours any more, as of at, unless it was authorized again since its
	// AuthorizedAt was seen. It reports whether it did.
	SaveGone(ctx context.Context, appID AppID, seen, at, now time.Time) (bool, error)
	// SaveRescan marks an account whose refresh token is proven dead.
	SaveRescan(ctx context.Context, appID AppID, fence int64, reason string, now time.Time) error
	// SaveStopped stops serving an account, or with stop false serves it again, and
	// reports whether that changed anything; ErrNoRow for an account that is not known.
	SaveStopped(ctx context.Context, appID AppID, stop bool, now time.Time) (bool, error)
	// SaveDecision makes a quarantined account active, or with accept false refused,
	// and a refused one active again. It reports whether that changed anything.
	SaveDecision(ctx context.Context, appID AppID, accept bool, now time.Time) (bool, error)
	// GrantChanges lists the newest changes of an account's grants first.
	GrantChanges(ctx context.Context, appID AppID, limit int) ([]GrantChange, error)

	// ClaimDue leases up to limit served accounts, not stopped ones, whose token is due
	// for refresh: those that end next first, those that have ended last. Each claim
	// raises the account's fence.
	ClaimDue(ctx context.Context, now, leaseUntil time.Time, limit int) ([]Due, error)
	// ClaimAccount leases one account for a refresh out of turn. ok is false while
	// another holder has it.
	ClaimAccount(ctx context.Context, appID AppID, now, leaseUntil time.Time) (d Due, ok bool, err error)
	// SaveRefreshed stores the results of claims in one transaction. A result
	// whose claim was lost is skipped and its AppID returned.
	SaveRefreshed(ctx context.Context, results []Refreshed) (fenced []AppID, err error)

	// SaveTicket keeps a ticket unless a newer one (by CreatedAt) is stored, and
	// drops all but the newest three. It reports whether it is the newest.
	SaveTicket(ctx context.Context, t Ticket) (bool, error)
	// Tickets lists the kept tickets, newest first.
	Tickets(ctx context.Context) ([]Ticket, error)
	// PlatformToken reads the stored token, or ErrNoRow.
	PlatformToken(ctx context.Context) (PlatformToken, error)
	// ClaimPlatformToken leases the right to fetch a new one. ok is false while
	// another holder has it.
	ClaimPlatformToken(ctx context.Context, now, leaseUntil time.Time) (fence int64, ok bool, err error)
	// SavePlatformToken stores a fetched token and ends the lease, or ErrFenced. A
	// token without a value only ends the lease.
	SavePlatformToken(ctx context.Context, t PlatformToken) error

	// SaveLink inserts a dashboard link; RevokeLink replaces it by next in one
	// transaction, or ErrNoRow.
	SaveLink(ctx context.Context, l DashboardLink) error
	RevokeLink(ctx context.Context, hash string, next DashboardLink, now time.Time) error
	// LinkByHash and LinkByAppID read the live link, or ErrNoRow.
	LinkByHash(ctx context.Context, hash string) (DashboardLink, error)
	LinkByAppID(ctx context.Context, appID AppID) (DashboardLink, error)

	// KeptTokens lists the refresh tokens of an account that later ones have
	// replaced, newest first. They are kept until a refresh with a later one has
	// worked; those that do not open are left out.
	KeptTokens(ctx context.Context, appID AppID) ([]secret.Secret, error)
	// Holdings lists what is held of every account, for the comparison with
	// WeChat's list.
	Holdings(ctx context.Context) ([]Holding, error)
	// SaveRecovered stores an authorization that was recovered from WeChat's list,
	// by the same rules as FinishExchange but without an exchange or an attempt.
	// It ends a lease on the account.
	SaveRecovered(ctx context.Context, a Arrived) (superseded bool, err error)
	// SweepState reads when the store last agreed with WeChat's whole list.
	SweepState(ctx context.Context) (SweepState, error)
	// SaveSwept records that it did at at; the store is not unverified any more.
	SaveSwept(ctx context.Context, at time.Time) error

	// SaveSetBack undoes what a clock that was set back makes wrong: every account is
	// due at now, the platform's token counts as ended, and what waits or is leased
	// for longer than could be is free. When it is not certain that the clock was set
	// back, that is done only if a time of the past lies in the future; changed says
	// whether it was done.
	SaveSetBack(ctx context.Context, now time.Time, certain bool) (changed bool, err error)

	// Health reads what /readyz needs in one go; it writes a row to prove that
	// writing works.
	Health(ctx context.Context, now time.Time) (Health, error)
}

// ExchangeClaim is the answer to ClaimExchange.
type ExchangeClaim struct {
	Won   bool
	Fence int64
	// Done is true when the exchange already succeeded, with AppID.
	Done      bool
	AppID     AppID
	AttemptID string // the attempt it finished; may be empty
	// Failed is true when the code is known to be spent without a result.
	Failed bool
	// Tries counts the claims, this one included.
	Tries int
}

// Arrived is everything one exchange brought.
type Arrived struct {
	CodeHash string
	Fence    int64
	AppID    AppID
	Grants   Grants
	Tokens   Tokens
	// At and LocalTime order the authorization, see Account.
	At        time.Time
	LocalTime bool
	Standing  Standing // Active, Quarantined or Refused; an active account stays active
	DueAt     time.Time
	Now       time.Time
	// AttemptID is empty when no attempt of ours led to it.
	AttemptID string
	Verdict   Verdict
	Wanted    []PermissionID
	Missing   []PermissionID
	Added     []PermissionID
	Removed   []PermissionID
}

// ArrivalEnd is how one claim of an arrival ends: with an outcome, or given back
// to be due again at RetryAt.
type ArrivalEnd struct {
	ID, Fence int64
	Outcome   Outcome   // empty to give it back
	AppID     AppID     // the account it turned out to be about; may be empty
	RetryAt   time.Time // when Outcome is empty
	Untried   bool      // when Outcome is empty: nothing was tried, so it does not count as a try
	Reason    string    // class and errcode for people, never a secret
}

// GrantChange is one entry of an account's grant history.
type GrantChange struct {
	At             time.Time
	Added, Removed []PermissionID
}

// Due is an account leased for a refresh.
type Due struct {
	AppID    AppID
	Refresh  secret.Secret
	Fence    int64
	Failures int
	EndsAt   time.Time // of the access token in hand
	DueAt    time.Time // of this refresh
}

// Holding is what a store holds of one account, as far as WeChat's list tells it
// too.
type Holding struct {
	AppID        AppID
	Standing     Standing
	AuthorizedAt time.Time
	LocalTime    bool
	RevokedAt    time.Time
	NoAPI        bool
	Refresh      secret.Secret // empty when there is none or it does not open
	// Damaged is true when a stored token does not open: a changed byte, or a lost
	// secret key.
	Damaged bool
}

// SweepState says how far the store is known to agree with WeChat's list.
type SweepState struct {
	At time.Time // of the last whole list that was compared; zero when there was none
	// Unverified is true after a restore: refresh tokens may be old, so none is used
	// until one sweep is through.
	Unverified bool
}

// Refreshed is the end of one claim of a Due account: new tokens, or a failure.
type Refreshed struct {
	AppID    AppID
	Fence    int64
	Tokens   Tokens    // empty members change nothing
	WasDueAt time.Time // Due.DueAt; an account that was made due since stays so
	DueAt    time.Time // of the next refresh
	Now      time.Time
	Failure  string // class and errcode; empty on success
	Platform bool   // the failure was not the account's: it is not counted against it
}

// DashboardLink is the merchant's unguessable way to its own page.
type DashboardLink struct {
	Hash      string        // keyed hash of Token
	Token     secret.Secret // kept sealed, so that the page can show it again
	AppID     AppID
	CreatedAt time.Time
}

// Health is what the store knows about the state of the platform.
type Health struct {
	Migrated  bool
	Damaged   bool   // the last check of the database found it so
	Ticket    Ticket // the newest; zero when none was received
	Waiting   int    // arrivals that are not handled yet
	Parked    int
	Accounts  int // served accounts
	OverdueAt time.Time
}
