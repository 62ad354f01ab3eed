package admin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"usher/internal/onboard"
)

// Listed is one account as a list shows it.
type Listed struct {
	AppID      onboard.AppID
	Name       string // WeChat's nickname, hostile until shown escaped; may be empty
	OriginalID string
	Principal  string
	Kind       onboard.AccountKind
	Status     Status
	Granted    int
	Asked      int // 0 when nothing in particular was asked for
	Lacks      []onboard.PermissionID
	Tags       []string
	TokenUntil time.Time // zero without a token
	ChangedAt  time.Time // of the authorization, the sets, the name or the status
	Hidden     bool
	Picture    string // hash of the head image as we keep it; empty while we have none
}

// List makes the row of an account; ChangedAt and Hidden are the store's.
func List(a onboard.Account, tags []string) Listed {
	l := Listed{
		AppID: a.AppID, Name: a.Profile.Nickname, OriginalID: a.Profile.OriginalID, Principal: a.Profile.Principal,
		Kind: a.Profile.Kind, Status: StatusOf(a), Granted: len(a.Grants), Asked: len(a.Wanted), Lacks: a.Missing(),
		Tags: tags, TokenUntil: a.AccessExpiresAt,
	}
	if l.Kind == onboard.UnknownKind && len(a.Grants) > 0 {
		l.Kind = a.Kind()
	}
	switch l.Status {
	case Withdrawn, Refused, Dead:
		l.TokenUntil = time.Time{}
	}
	if l.Status == Withdrawn {
		l.Lacks = nil
	}
	return l
}

// Sort names the column a list is ordered by.
type Sort string

// The columns.
const (
	ByChange Sort = "changed"
	ByName   Sort = "name"
	ByKind   Sort = "kind"
	ByStatus Sort = "status"
	BySets   Sort = "sets"
	ByToken  Sort = "token"
)

// Sorts lists them in the order of the columns.
func Sorts() []Sort { return []Sort{ByName, ByKind, ByStatus, BySets, ByToken, ByChange} }

// Descending reports whether the column begins with its greatest value unless
// the reader wants it the other way.
func (s Sort) Descending() bool { return s == ByChange || s == BySets }

// AccountFilter chooses accounts. Zero members choose all that are not hidden.
type AccountFilter struct {
	Query   string
	Kind    onboard.AccountKind
	Status  Status
	Acting  bool // those that somebody has to act on; Status is then AnyStatus
	Missing onboard.PermissionID
	Tag     string
	Since   time.Time // of the last change
	Hidden  bool      // only those that were hidden
}

// Empty reports whether the filter chooses everything.
func (f AccountFilter) Empty() bool { return f == AccountFilter{} }

// PageSizes are the sizes a reader may choose.
func PageSizes() []int { return []int{25, 50, 100} }

// AccountQuery asks for one page of a list.
type AccountQuery struct {
	AccountFilter
	Sort    Sort
	Reverse bool // the other way than Sort.Descending says
	Size    int
	After   Cursor // the page behind this row; zero for the first
	Before  Cursor // the page in front of this row
	NoTotal bool   // the page is read without its Total
}

// Down reports whether the greatest value comes first.
func (q AccountQuery) Down() bool { return q.Sort.Descending() != q.Reverse }

// normal fills in what is not set or not valid.
func (q AccountQuery) normal() AccountQuery {
	if !slices.Contains(Sorts(), q.Sort) {
		q.Sort = ByChange
	}
	if !slices.Contains(PageSizes(), q.Size) {
		q.Size = PageSizes()[0]
	}
	if !q.After.Zero() {
		q.Before = Cursor{}
	}
	return q
}

// Cursor names a row of a sorted list by what it is sorted by.
type Cursor struct {
	Text   string        `json:"t,omitempty"` // of a text column
	Number int64         `json:"n,omitempty"` // of any other
	AppID  onboard.AppID `json:"a"`
}

// Zero reports whether the cursor names no row.
func (c Cursor) Zero() bool { return c == Cursor{} }

// String writes the cursor for an address.
func (c Cursor) String() string {
	if c.Zero() {
		return ""
	}
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // plain fields
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParseCursor reads what String wrote. What it did not write is the zero cursor.
func ParseCursor(s string) Cursor {
	b, err := base64.RawURLEncoding.DecodeString(s)
	var c Cursor
	if err != nil || len(b) > 1000 || json.Unmarshal(b, &c) != nil {
		return Cursor{}
	}
	if _, err := onboard.ParseAppID(string(c.AppID)); err != nil || c.AppID == "" {
		return Cursor{}
	}
	return c
}

// CountLimit is up to where matches are counted exactly.
const CountLimit = 2000

// AccountPage is one page of a list.
type AccountPage struct {
	Rows []Listed
	// Total counts the matches up to CountLimit; AtLeast says that there are more.
	Total      int
	AtLeast    bool
	Prev, Next Cursor // of the first and the last row, zero where there is no page
}

// Total as people read it: a plus sign when there are more.
func (p AccountPage) TotalText() string {
	if p.AtLeast {
		return strconv.Itoa(p.Total) + "+"
	}
	return strconv.Itoa(p.Total)
}

// AccountCount is how many accounts have a status and a kind.
type AccountCount struct {
	Status Status
	Kind   onboard.AccountKind
	N      int
}

// SeenSet is a permission set that some account granted or was asked for.
type SeenSet struct {
	ID      onboard.PermissionID
	Granted bool // by at least one account: the platform certainly has it
}

// AccountListStore answers lists of accounts.
type AccountListStore interface {
	// ListAccounts reads one page. It answers from indexes: its cost does not grow
	// with the number of accounts as long as a word or a filter is rare or the
	// matches are frequent.
	ListAccounts(ctx context.Context, q AccountQuery) (AccountPage, error)
	// CountAccounts counts the accounts that are not hidden.
	CountAccounts(ctx context.Context) ([]AccountCount, error)
	// SeenSets lists the permission sets that any account granted or was asked for,
	// ascending.
	SeenSets(ctx context.Context) ([]SeenSet, error)
	// Tags lists the tags in use, up to limit.
	Tags(ctx context.Context, limit int) ([]string, error)
}
