package admin

import (
	"errors"
	"slices"
	"strings"
	"time"

	"usher/internal/onboard"
)

// CheckName names one thing about the platform that works or does not.
type CheckName string

// The checks. Calls of WeChat prove or refute the first ones in passing; a person
// starts the others.
const (
	CheckReach     CheckName = "reach"      // WeChat's API answers
	CheckAllowList CheckName = "allow_list" // our address may call it
	CheckAppID     CheckName = "appid"      // WeChat knows our AppID
	CheckSecret    CheckName = "secret"     // and our AppSecret
	CheckPublished CheckName = "published"  // refuted by 61028; no call proves it
	CheckAddress   CheckName = "address"    // our public address leads to us
	CheckSets      CheckName = "sets"       // an owner has chosen the default permission sets
	CheckDatabase  CheckName = "database"   // the file of the database is sound
	CheckTry       CheckName = "try"        // subject: the invite for the operator's own account
)

// quotaPrefix begins the name of a check of one API's daily calls.
const quotaPrefix = "quota."

// CheckQuota names the check of one API's daily calls.
func CheckQuota(api string) CheckName { return CheckName(quotaPrefix + api) }

// Check is what is known of one of them.
type Check struct {
	Name CheckName
	// Subject is what it was found out of, such as the fingerprint of a secret.
	// What is known of another subject does not count.
	Subject  string
	OKAt     time.Time // when it last was so
	FailedAt time.Time // when it last was not
	// The present failure, or the last one.
	Since   time.Time // of the first failure after OKAt
	Times   int
	Code    int    // WeChat's errcode; 0 for none
	What    string // the API, or the kind of failure
	RID     string // WeChat's request id
	Address string // of ours, as WeChat names it
}

// Failing reports whether the last thing known is a failure.
func (c Check) Failing() bool { return c.FailedAt.After(c.OKAt) }

// Proven reports whether it was so when it was last found out.
func (c Check) Proven() bool { return !c.OKAt.IsZero() && !c.Failing() }

// tokenless are the APIs that authenticate by the AppSecret: only they tell
// whether it is right, because a token lives on for two hours.
var tokenless = []string{"api_start_push_ticket", "api_component_token", "clear_quota/v2"}

// findings is what one call of api tells. subject is the fingerprint of the
// AppSecret that was in use.
func findings(api string, err error, now time.Time, subject string) []Check {
	good := func(name CheckName) Check { return Check{Name: name, OKAt: now} }
	up, refused := errors.AsType[*onboard.UpstreamError](err)
	if err != nil && !refused {
		return nil // not about WeChat
	}
	if refused {
		api = up.API
	}
	bad := func(name CheckName) Check {
		return Check{Name: name, FailedAt: now, Since: now, Times: 1, Code: up.Code, What: api, RID: up.RID, Address: up.IP}
	}
	own := slices.Contains(tokenless, api)
	ofSecret := func(c Check) Check {
		c.Subject = subject
		return c
	}
	switch {
	case !refused:
		all := []Check{good(CheckReach), good(CheckAllowList), good(CheckAppID)}
		if own {
			all = append(all, ofSecret(good(CheckSecret)))
		}
		return append(all, good(CheckQuota(api)))
	case up.Code == 0:
		return []Check{bad(CheckReach)}
	}
	all := []Check{good(CheckReach)}
	switch up.Code {
	case 61004, 40164, 40090, 45035:
		return append(all, bad(CheckAllowList))
	case 40125, 40001:
		if own {
			return append(all, good(CheckAllowList), ofSecret(bad(CheckSecret)))
		}
	case 40013, 40094:
		if own {
			return append(all, good(CheckAllowList), bad(CheckAppID))
		}
	case 45009:
		return append(all, good(CheckAllowList), bad(CheckQuota(api)))
	case 61028:
		return append(all, good(CheckAllowList), bad(CheckPublished))
	}
	return all
}

// failed reports whether the outcome of a call speaks against the platform and not
// only about one account.
func failed(err error) bool {
	up, ok := errors.AsType[*onboard.UpstreamError](err)
	if !ok {
		return false
	}
	switch up.Reaction {
	case onboard.Show, onboard.Reauthorize, onboard.MissingScope, onboard.CodeSpent:
		return false
	}
	return true
}

// join adds what was found out later to what is known.
func (c Check) join(next Check) Check {
	streak := c.Failing() && c.FailedAt.After(next.OKAt) && c.Subject == next.Subject
	if c.Subject != next.Subject {
		c.OKAt, c.FailedAt = time.Time{}, time.Time{}
	}
	if !next.FailedAt.IsZero() && !next.FailedAt.Before(c.FailedAt) {
		address := c.Address
		c.FailedAt, c.Code, c.What, c.RID, c.Address = next.FailedAt, next.Code, next.What, next.RID, next.Address
		if c.Address == "" {
			c.Address = address
		}
	}
	if next.OKAt.After(c.OKAt) {
		c.OKAt = next.OKAt
	}
	if streak {
		c.Times += next.Times
	} else {
		c.Since, c.Times = next.Since, next.Times
	}
	c.Name, c.Subject = next.Name, next.Subject
	return c
}

// quotaAPI is the API of a check of daily calls, or empty.
func (c Check) quotaAPI() string {
	api, _ := strings.CutPrefix(string(c.Name), quotaPrefix)
	if api == string(c.Name) {
		return ""
	}
	return api
}
