package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"usher/internal/admin"
	"usher/internal/onboard"
)

// The statements whose plans are tested.
var HotQueries = map[string]string{
	"ClaimArrivals":       claimArrivals,
	"ClaimArrivals(code)": claimArrivalsOfCode,
	"ClaimDue":            claimDue,
	"none due":            anyDue + ` LIMIT 1`,
	"ClaimUnprofiled":     claimUnprofiled,
	"unprofiled":          unprofiled + ` LIMIT 1`,
	"Attempt":             attemptByID,
	"AttemptByPhoneCode":  attemptByPhone,
	"AttemptByInviteCode": attemptByInvite,
	"AttemptsBySession":   attemptsOf,
	"HandoffByState":      handoffByState,
	"HandoffByCode":       handoffByCode,
	"Handoffs":            handoffsOf,
	"Account":             accountByAppID,
	"Credentials":         credentialsByAppID,
	"FinishArrivals":      endArrival,
	"LinkByHash":          linkByHash,
	"LinkByAppID":         linkByAppID,
	"ClaimPictures":       claimPictures,
	"no picture":          noPicture,
	"Picture":             pictureByHash,
	"AccountsBySession":   accountsBySession,
	"no arrivals":         anyArrival,
	"ReviveArrival":       reviveArrival,
	"ReviveParked":        reviveParked,
	"Events":              eventTexts[eventsAll],
	"Events(failed)":      eventTexts[eventsFailed],
	"Events(waiting)":     eventTexts[eventsWaiting],
	"Events(account)":     eventTexts[eventsOfApp],
	"Events(type)":        eventTexts[eventsOfType],
	"Events(result)":      eventTexts[eventsOfResult],
	"Event":               eventByID,
	"EventTypes":          eventTypeAfter,
	"listRow":             listRowByAppID,
	"AccountState":        accountState,
	"AccountEvents":       accountEvents,
	"AuditOf":             auditOf,
	"Notes":               notesOf,
	"TicketTimes":         ticketTimes,
	"first ticket":        firstTicket,
}

// ListPlan is a text of the console's list of accounts, and how SQLite has to begin.
type ListPlan struct {
	Name, Text string
	Begins     string // with which step
	Sorts      bool   // may sort what it found
}

// ListPlans are all texts of the list.
func ListPlans() []ListPlan {
	columns := map[admin.Sort]string{
		admin.ByChange: "account_list_changed", admin.ByName: "account_list_name", admin.ByKind: "account_list_kind",
		admin.ByStatus: "account_list_status", admin.BySets: "account_list_missing", admin.ByToken: "account_list_token",
	}
	begins := [listWays]string{
		byTerm:   "SEARCH d USING COVERING INDEX sqlite_autoindex_account_term_1 (term=?)",
		byGrant:  "SEARCH d USING COVERING INDEX account_grant_set (platform=? AND permission=? AND missing=?)",
		byTag:    "SEARCH d USING COVERING INDEX account_tag_tag (platform=? AND tag=?)",
		byStatus: "SEARCH l USING INDEX account_list_status (platform=? AND status>? AND status<?)",
		byKind:   "SEARCH l USING INDEX account_list_kind (platform=? AND kind=?)",
		bySince:  "SEARCH l USING INDEX account_list_changed (platform=? AND changed_at>?)",
		byHidden: "SEARCH l USING INDEX account_list_hidden (platform=?)",
	}
	var all []ListPlan
	for key, text := range listTexts {
		p := ListPlan{fmt.Sprintf("way %d by %s, down %v, past %v", key.way, key.sort, key.down, key.past), text, begins[key.way], key.way != walk}
		if key.way == walk {
			p.Begins = "SEARCH l USING INDEX " + columns[key.sort] + " (platform=?"
		}
		all = append(all, p)
	}
	for way, text := range listCounts {
		p := ListPlan{Name: fmt.Sprintf("count of way %d", way), Text: text, Begins: begins[way]}
		if listWay(way) == walk || listWay(way) == byStatus {
			p.Begins = "SEARCH l USING INDEX account_list_" // any will do
		}
		all = append(all, p)
	}
	for name, text := range map[string]string{
		"countTerm": countTerm, "countGrant": countGrant, "countTag": countTag, "countStatus": countStatus, "countKind": countKind, "countSince": countSince,
	} {
		all = append(all, ListPlan{Name: name, Text: text, Begins: "SEARCH account_"})
	}
	// Every write of an account makes these: one that reads the rows of other accounts
	// makes a database slower with each of them.
	const ofOne = "(platform=? AND appid=?)"
	all = append(all,
		ListPlan{Name: "grants of one", Text: grantsListed, Begins: "SEARCH account_grant USING COVERING INDEX account_grant_account " + ofOne},
		ListPlan{Name: "tags of one", Text: tagsListed, Begins: "SEARCH account_tag USING COVERING INDEX sqlite_autoindex_account_tag_1 " + ofOne},
		ListPlan{Name: "notes of one", Text: notesListed, Begins: "SEARCH account_note USING INDEX sqlite_autoindex_account_note_1 " + ofOne},
	)
	return append(all, ListPlan{Name: "CountAccounts", Text: countAccounts, Begins: "SEARCH account_list USING COVERING INDEX account_list_count", Sorts: true})
}

func init() {
	HotQueries["Blocks"] = blockedBy
	for state, texts := range invitesIn {
		HotQueries["ListInvites "+string(state)] = texts.all
		HotQueries["ListInvites of a batch "+string(state)] = texts.batch
	}
}

// InviteSearch are the texts that look for a word among the newest invites.
func InviteSearch() map[string]string {
	all := map[string]string{}
	for state, texts := range invitesIn {
		all[string(state)] = texts.text
	}
	return all
}

// OverviewCounts are the texts that count up to a limit, and the index each needs.
func OverviewCounts() map[string]string {
	return map[string]string{countsInvites: "attempt_invites_end ", countsLapsed: "attempt_invites_end ", countsParked: "arrival_parked "}
}

// EventCounts are the statements that count events up to a limit.
var EventCounts = []string{countOfType, countOfOutcome, countParked}

// Groups returns how many writes the writer has committed, and in how many commits.
func (s *Store) Groups() (writes, commits int64) {
	return s.writer.writes.Load(), s.writer.commits.Load()
}

// Write runs statements in one write through the writer, then fails with err.
func (s *Store) Write(ctx context.Context, err error, texts ...string) error {
	return s.writer.do(ctx, func(ctx context.Context, q querier) error {
		for _, text := range texts {
			if _, err := exec(ctx, q, text); err != nil {
				return err
			}
		}
		return err
	})
}

// Hold keeps the writer busy until release is closed.
func (s *Store) Hold(held chan<- struct{}, release <-chan struct{}) error {
	return s.writer.do(context.Background(), func(context.Context, querier) error {
		close(held)
		<-release
		return nil
	})
}

// Panic makes a write panic.
func (s *Store) Panic(ctx context.Context) error {
	return s.writer.do(ctx, func(context.Context, querier) error { panic("in a write") })
}

// Strings reads one column through the reading side.
func (s *Store) Strings(ctx context.Context, text string, args ...any) ([]string, error) {
	return many(ctx, s.engine.read, scanString, text, args...)
}

// Plan returns SQLite's plan of a statement.
func (s *Store) Plan(ctx context.Context, text string) (string, error) {
	steps, err := many(ctx, s.engine.read, func(r *sql.Rows) (step string, err error) {
		var id, parent, unused int
		return step, r.Scan(&id, &parent, &unused, &step)
	}, "EXPLAIN QUERY PLAN "+text, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) // more than any of them has
	return strings.Join(steps, "; "), err
}

// Waiting returns how many writes wait for the writer.
func (s *Store) Waiting() int { return len(s.writer.jobs) }

// WriterStrings reads one column on the writer's connection, outside of a transaction.
func (s *Store) WriterStrings(ctx context.Context, text string) ([]string, error) {
	tx, err := s.engine.group(ctx)
	if err != nil {
		return nil, err
	}
	if err := tx.commit(); err != nil {
		return nil, err
	}
	return many(ctx, tx, scanString, text)
}

// WriterExec returns what runs statements on the writer's connection, outside of a
// transaction.
func (s *Store) WriterExec(ctx context.Context) (func(text string) error, error) {
	tx, err := s.engine.group(ctx)
	if err != nil {
		return nil, err
	}
	return func(text string) error { _, err := tx.ExecContext(ctx, text); return err }, tx.commit()
}

// VerifyPragmas checks a pool as the writer's is checked.
func VerifyPragmas(ctx context.Context, db *sql.DB) error {
	return verifyPragmas(ctx, db, writerPragmas)
}

// Cross runs fn in a transaction beside the writer.
func (s *Store) Cross(ctx context.Context, fn func(exec func(text string) error) error) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return 0, fn(func(text string) error { _, err := exec(ctx, q, text); return err })
	})
	return err
}

// Batched is Cross through the writer.
func (s *Store) Batched(ctx context.Context, fn func(exec func(text string) error) error) error {
	_, err := writeGrouped(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return 0, fn(func(text string) error { _, err := exec(ctx, q, text); return err })
	})
	return err
}

// SealedPlaces names the columns that are known to be sealed.
func SealedPlaces() (names []string) {
	for _, p := range sealedPlaces {
		names = append(names, p.name())
	}
	return names
}

// SealedBatch is how many values are changed at a time.
const SealedBatch = sealedBatch

// Latest is the version of the schema that the program is written for.
func Latest() int64 { return latest }

// Versions lists every version that the schema had.
func Versions() (all []int64) {
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			panic(err)
		}
		all = append(all, n)
	}
	return all
}

// UpTo makes a database with the schema of a former version.
func UpTo(ctx context.Context, path string, version int64) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(path, writerParams))
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err == nil {
		_, err = p.UpTo(ctx, version)
	}
	return errors.Join(err, db.Close())
}

// Fill stores accounts and what the list knows of them, of which tagged have a tag.
// It makes the rows that the ordinary writes make, in an order in which a hundred
// thousand of them do not take minutes.
func (s *Store) Fill(ctx context.Context, all []onboard.Account, now time.Time, tag string, tagged func(i int) bool) error {
	type termOf struct {
		term  int64
		appID string
	}
	var terms []termOf
	at := 0
	for chunk := range slices.Chunk(all, 5000) {
		err := s.writer.do(ctx, func(ctx context.Context, q querier) error {
			for _, a := range chunk {
				var tags []string
				if tagged(at) {
					tags = []string{tag}
				}
				at++
				if err := s.fillOne(ctx, q, a, now, tags); err != nil {
					return err
				}
				for _, t := range admin.SearchTerms(searchOf(a, tags)) {
					terms = append(terms, termOf{admin.TermNumber(s.platform, t), string(a.AppID)})
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	slices.SortFunc(terms, func(a, b termOf) int { return cmp.Or(cmp.Compare(a.term, b.term), strings.Compare(a.appID, b.appID)) })
	for chunk := range slices.Chunk(terms, 100_000) {
		err := s.writer.do(ctx, func(ctx context.Context, q querier) error {
			for _, t := range chunk {
				if _, err := exec(ctx, q, `INSERT INTO account_term (term, appid) VALUES ($1, $2)`, t.term, t.appID); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func searchOf(a onboard.Account, tags []string) string {
	return admin.SearchText(append([]string{a.Profile.Nickname, string(a.AppID), a.Profile.OriginalID, a.Profile.Principal}, tags...)...)
}

func (s *Store) fillOne(ctx context.Context, q querier, a onboard.Account, now time.Time, tags []string) error {
	if _, err := s.lockAccount(ctx, q, a.AppID, now); err != nil {
		return err
	}
	profile, err := json.Marshal(profileRow(a.Profile))
	if err != nil {
		return err
	}
	_, err = exec(ctx, q, `UPDATE account SET standing = $3, profile = $4, profile_at = $5, grants = $6, wanted = $7, authorized_at = $5,
		access_expires_at = $8, due_at = $8 WHERE platform = $1 AND appid = $2`,
		s.platform, string(a.AppID), string(a.Standing), string(profile), ms(now), grantsJSON(a.Grants), toJSON(a.Wanted), ms(a.AccessExpiresAt))
	if err != nil {
		return err
	}
	for _, tag := range tags {
		if _, err := exec(ctx, q, `INSERT INTO account_tag (platform, appid, tag, at, author) VALUES ($1, $2, $3, $4, '')`, s.platform, string(a.AppID), tag, ms(now)); err != nil {
			return err
		}
	}
	row := admin.List(a, tags)
	row.ChangedAt = now
	if err := s.saveListed(ctx, q, row, searchOf(a, tags)); err != nil {
		return err
	}
	return s.saveGrants(ctx, q, a)
}

// ReadClock reads the server's clock now instead of in some seconds.
func (s *Store) ReadClock(ctx context.Context) error { return s.clock.read(ctx, s.engine.read) }
