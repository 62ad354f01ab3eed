//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/internal/simulator"
	"usher/internal/store/pgtest"
)

// A scenario leads the program to a failpoint. It starts the program with arm,
// which kills it there.
type scenario struct {
	drive func(c *crash, arm string)
	// with is what besides has to happen, as another entry of USHER_FAILPOINT.
	with string
	// hits is how often the point is reached on the way: each round takes
	// another one of them.
	hits int
	// file is true for a point that there is only beside a SQLite file.
	file bool
	// calm is true where a call that WeChat spoils on the way would put the point off
	// by a minute, or make the program take another way. WeChat is hostile from the
	// kill on.
	calm bool
}

// scenarios holds one for each failpoint of the program.
var scenarios = map[string]scenario{
	"push.before_save":       {drive: authorizing, hits: 2},
	"push.after_save":        {drive: authorizing, hits: 2},
	"redirect.before_save":   {drive: authorizing},
	"redirect.after_save":    {drive: authorizing},
	"arrivals.after_claim":   {drive: authorizing, hits: 2},
	"arrivals.before_finish": {drive: authorizing, hits: 2},
	"arrivals.after_finish":  {drive: authorizing, hits: 2},
	"ticket.before_save":     {drive: authorizing},
	"ticket.after_save":      {drive: authorizing},
	"platform.after_claim":   {drive: authorizing},
	"platform.after_http":    {drive: authorizing},
	"platform.after_save":    {drive: authorizing},
	"handoff.after_http":     {drive: authorizing},
	"handoff.after_save":     {drive: authorizing},
	"exchange.after_claim":   {drive: authorizing},
	"exchange.before_http":   {drive: authorizing},
	"exchange.after_http":    {drive: authorizing},
	"exchange.before_commit": {drive: authorizing},
	"exchange.store":         {drive: authorizing, calm: true},
	"exchange.after_commit":  {drive: authorizing},
	"link.before_save":       {drive: authorizing},
	"link.after_save":        {drive: authorizing},
	"profile.after_http":     {drive: authorizing, calm: true},
	"profile.after_save":     {drive: authorizing, calm: true},
	"store.before_commit":    {drive: authorizing, hits: 12},
	"store.after_commit":     {drive: authorizing, hits: 12},
	"migrate.before":         {drive: authorizing, hits: 3},
	"migrate.after":          {drive: authorizing, hits: 3},
	"profile.after_claim":    {drive: profiling, calm: true},
	"exchange.before_fail":   {drive: losingAnswers, calm: true},
	"exchange.after_fail":    {drive: losingAnswers, calm: true},
	"recover.after_list":     {drive: losingAnswers, calm: true},
	"recover.after_profile":  {drive: losingAnswers, calm: true},
	"recover.after_refresh":  {drive: losingAnswers, calm: true},
	"exchange.before_move":   {drive: mixingUp, calm: true},
	"exchange.after_move":    {drive: mixingUp, calm: true},
	"refresh.after_claim":    {drive: refreshing, calm: true},
	"refresh.before_http":    {drive: refreshing, calm: true},
	"refresh.after_http":     {drive: refreshing, calm: true},
	"refresh.before_save":    {drive: refreshing, calm: true},
	"refresh.store":          {drive: refreshing, calm: true},
	"refresh.after_save":     {drive: refreshing, calm: true},
	"verify.after_list":      {drive: doubting, calm: true, with: "sweep.begin=pause:3s"},
	"verify.after_refresh":   {drive: doubting, calm: true, with: "sweep.begin=pause:3s"},
	"verify.before_rescan":   {drive: ending, calm: true, with: "sweep.begin=pause:3s"},
	"verify.after_rescan":    {drive: ending, calm: true, with: "sweep.begin=pause:3s"},
	"revoke.before_save":     {drive: revoking},
	"revoke.after_save":      {drive: revoking},
	"link.before_renew":      {drive: renewing},
	"link.after_renew":       {drive: renewing},
	"sweep.begin":            {drive: sweeping, calm: true},
	"sweep.after_list":       {drive: sweeping, calm: true},
	"sweep.before_repair":    {drive: sweeping, calm: true, hits: 3},
	"sweep.before_save":      {drive: sweeping, calm: true, hits: 2},
	"sweep.after_save":       {drive: sweeping, calm: true, hits: 2},
	"sweep.after_revoke":     {drive: sweeping, calm: true},
	"sweep.after_end":        {drive: sweeping, calm: true},
	"spool.before_add":       {drive: authorizing, with: "exchange.store=err", calm: true, file: true},
	"spool.after_add":        {drive: authorizing, with: "exchange.store=err", calm: true, file: true},
	"spool.after_replay":     {drive: replaying, file: true},
	"backup.before_copy":     {drive: backingUp, file: true},
	"backup.after_copy":      {drive: backingUp, file: true},
	"backup.after_verify":    {drive: backingUp, file: true},
	"backup.after_place":     {drive: backingUp, file: true},
	"restore.after_copy":     {drive: restoring, file: true},
	"restore.after_note":     {drive: restoring, file: true},
	"restore.after_aside":    {drive: restoring, file: true},
	"restore.after_place":    {drive: restoring, file: true},
	"rotate.before_batch":    {drive: rotating, hits: 4},
	"rotate.after_batch":     {drive: rotating, hits: 4},
	"forget.after_hashed":    {drive: forgetting},
	"forget.before_batch":    {drive: forgetting, hits: 4},
	"forget.after_batch":     {drive: forgetting, hits: 4},
}

// authorizing brings in one account from the first ticket on.
func authorizing(c *crash, arm string) {
	c.start(arm)
	c.ticket()
	c.authorize(simulator.TeaHouse)
}

// settled brings in accounts and stops the program with nothing left to do.
func (c *crash) settled(appIDs ...string) {
	c.t.Helper()
	c.start("")
	c.ticket()
	for _, id := range appIDs {
		c.authorize(id)
	}
	c.dealt()
	c.stop()
	c.forgetLeases()
}

// due makes every account due for a refresh.
func (c *crash) due() { c.exec(`UPDATE account SET due_at = 1 WHERE due_at > 0`) }

func refreshing(c *crash, arm string) {
	c.settled(simulator.TeaHouse)
	c.due()
	c.start(arm)
}

// doubting lets WeChat replace a refresh token without a word.
func doubting(c *crash, arm string) {
	c.settled(simulator.TeaHouse)
	if err := c.sim.ReplaceRefreshToken(simulator.TeaHouse); err != nil {
		c.t.Fatal(err)
	}
	c.due()
	c.start(arm)
}

// ending lets a merchant withdraw without a word.
func ending(c *crash, arm string) {
	c.settled(simulator.TeaHouse)
	c.loseAll()
	if err := c.sim.Revoke(context.Background(), simulator.TeaHouse); err != nil {
		c.t.Fatal(err)
	}
	c.loseNothing()
	c.due()
	c.start(arm)
}

func revoking(c *crash, arm string) {
	c.settled(simulator.TeaHouse)
	c.start(arm)
	_ = c.sim.Revoke(context.Background(), simulator.TeaHouse) // the program may die of it
}

// renewing replaces the link to a dashboard.
func renewing(c *crash, arm string) {
	c.settled(simulator.TeaHouse)
	link := c.dashboardLink(simulator.TeaHouse)
	c.start(arm)
	_, err := c.call(http.MethodPost, "/m/"+link+"/renew", nil, 1)
	if err == nil {
		c.t.Fatal("the program renewed the link and lives")
	}
}

// profiling leaves a profile to be read.
func profiling(c *crash, arm string) {
	c.settled(simulator.TeaHouse)
	c.exec(`UPDATE account SET profile_at = 0, profile_tried_at = 0`)
	c.start(arm)
}

// losingAnswers lets the answer to the exchange get lost after WeChat has spent
// the code.
func losingAnswers(c *crash, arm string) {
	if err := c.sim.AddFault(simulator.Fault{Kind: simulator.ResetAfter, Path: exchangePath, Next: 1}); err != nil {
		c.t.Fatal(err)
	}
	c.start(arm)
	c.ticket()
	path, link := c.attempt()
	_ = c.consent(path, link, simulator.TeaHouse) // the push alone names the account
}

// mixingUp sends a browser back with the code of another attempt. The push says
// which one it was.
func mixingUp(c *crash, arm string) {
	c.start(arm)
	c.ticket()
	_, other := c.attempt()
	path, link := c.attempt()
	f := c.sim.Faults()
	f.Push.Delay = 1500 * time.Millisecond
	c.setFaults(f)
	redirect := c.consent(path, link, simulator.TeaHouse)
	to, err := url.Parse(other)
	if err != nil {
		c.t.Fatal(err)
	}
	wrong, err := url.Parse(to.Query().Get("redirect_uri"))
	if err != nil {
		c.t.Fatal(err)
	}
	right, err := url.Parse(redirect)
	if err != nil {
		c.t.Fatal(err)
	}
	right.Path = wrong.Path
	// The program may die of the push while the browser waits.
	_, _ = c.call(http.MethodGet, right.String(), nil, 1)
}

// sweeping changes three accounts while the program is away and nothing tells.
func sweeping(c *crash, arm string) {
	c.settled(simulator.TeaHouse, simulator.Takeaway)
	c.loseAll()
	err := errors.Join(
		c.sim.AuthorizeSilently(context.Background(), simulator.ServiceAccount, nil),
		c.sim.ReplaceRefreshToken(simulator.TeaHouse),
		c.sim.Revoke(context.Background(), simulator.Takeaway))
	if err != nil {
		c.t.Fatal(err)
	}
	c.loseNothing()
	c.start(arm)
}

// replaying leaves an answer in the spool.
func replaying(c *crash, arm string) {
	c.start("exchange.store=err,spool.after_add=kill")
	c.ticket()
	path, link := c.attempt()
	_ = c.consent(path, link, simulator.TeaHouse)
	<-c.child.ended
	c.killed++
	c.start(arm)
}

// crashRounds is how often each point is tried, by each habit in turn.
func crashRounds() int {
	if testing.Short() {
		return 1
	}
	return long("USHER_CRASH_ROUNDS", 5, 50)
}

// withoutDetector skips a test whose work is done by programs of their own, in which
// there is no race detector. The gate runs it without.
func withoutDetector(t *testing.T) {
	if raced {
		t.Skip("the programs that it starts have no race detector in them")
	}
}

// long is the number that the environment variable name gives, or many when
// USHER_LONG is set, or few.
func long(name string, few, many int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	if os.Getenv("USHER_LONG") != "" {
		return many
	}
	return few
}

// TestCrash_EveryFailpoint kills the program at every step, starts it again, and
// compares what it holds with what WeChat knows, which is hostile until one sweep
// before that. In every fifth round it panics there instead, where it serves, and goes
// on. The steps are read from the source, so that a new one without a scenario fails
// here.
func TestCrash_EveryFailpoint(t *testing.T) {
	withoutDetector(t)
	t.Parallel() // it mostly waits
	points := failpoints(t)
	for _, name := range points {
		if _, ok := scenarios[name]; !ok {
			t.Errorf("failpoint %s has no scenario: a step without a crash test", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(scenarios)) {
		if !slices.Contains(points, name) {
			t.Errorf("there is no failpoint %s", name)
		}
	}
	if t.Failed() {
		return
	}
	rounds := crashRounds()
	t.Run("SQLite", func(t *testing.T) { crashAll(t, points, rounds, 24, func(testing.TB) string { return "" }) })
	t.Run("PostgreSQL", func(t *testing.T) {
		server := pgtest.Start(t)
		some := points
		rounds := rounds
		if rounds <= 5 { // once at the steps in which the engines differ most
			some, rounds = nil, 1
			for _, name := range points {
				if strings.HasPrefix(name, "exchange.") || strings.HasPrefix(name, "store.") || strings.HasPrefix(name, "migrate.") {
					some = append(some, name)
				}
			}
		}
		some = slices.DeleteFunc(slices.Clone(some), func(name string) bool { return scenarios[name].file })
		crashAll(t, some, rounds, 12, func(t testing.TB) string { // of which each may have a dozen connections
			address := server.Database(t)
			t.Cleanup(func() { server.Drop(t, address) }) // the long form makes thousands
			return address
		})
	})
}

// crashAll runs some worlds at a time, of which each mostly waits.
func crashAll(t *testing.T, points []string, rounds, atOnce int, database func(testing.TB) string) {
	var all sync.WaitGroup
	defer func() {
		all.Wait()
		t.Logf("%d steps, %d rounds of each", len(points), rounds)
	}()
	slots := make(chan struct{}, atOnce)
	turn := 0
	for round := range rounds {
		for i, name := range points {
			h := habits[(i+round)%len(habits)] // a step meets each of them in turn
			turn++
			seed := int64(turn)
			slots <- struct{}{}
			all.Go(func() {
				defer func() { <-slots }()
				t.Run(fmt.Sprintf("%s/%d/%s", name, round, h.name), func(t *testing.T) {
					c := newCrash(t, h, database(t), seed)
					if round%5 == 4 && scenarios[name].serves(name) {
						panicOnce(t, name, round, c)
					} else {
						crashOnce(t, name, round, c)
					}
				})
			})
		}
	}
}

// serves reports whether the program reaches the point while it serves.
func (s scenario) serves(name string) bool {
	for _, begins := range []string{"migrate.", "backup.", "restore.", "rotate.", "forget.", "spool.after_replay"} {
		if strings.HasPrefix(name, begins) {
			return false
		}
	}
	return true
}

// panicOnce lets the program panic at one point. It lives; and when it is killed after
// that, which saves the test from waiting for the ends of leases, nothing is lost
// either.
func panicOnce(t *testing.T, name string, round int, c *crash) {
	c.drive(name, "panic@%dx1", round)
	if c.stillborn {
		c.settleAndCheck()
		return
	}
	c.eventually("the panic", func() error {
		if !c.alive() {
			t.Fatalf("the program ended: %v\n%s", c.child.cmd.ProcessState, &c.child.log)
		}
		if !strings.Contains(c.child.log.String(), "failpoint "+name+" panic") {
			return errors.New("the failpoint was not reached")
		}
		return nil
	})
	if err := c.child.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-c.child.ended
	c.revive()
	c.settleAndCheck()
}

// drive leads the program to one point, where something happens to it: action names
// what, and has a place for at which time of coming there.
func (c *crash) drive(name, action string, round int) {
	c.t.Helper()
	s := scenarios[name]
	arm := name + "=" + fmt.Sprintf(action, 1+round%max(1, s.hits))
	if s.with != "" {
		arm += "," + s.with
	}
	if s.calm {
		c.calm()
	}
	s.drive(c, arm)
}

// settleAndCheck lets the program come to rest, stops it, and checks what it holds.
func (c *crash) settleAndCheck() {
	c.t.Helper()
	c.dealt()
	c.idle()
	c.stop()
	c.check()
}

// crashOnce kills the program at one point and lets it come to rest.
func crashOnce(t *testing.T, name string, round int, c *crash) {
	before := c.killed
	c.drive(name, "kill@%d", round)
	if name == "spool.after_replay" {
		before = c.killed // it was killed on the way there
	}
	c.awaitKill(before)
	c.settleAndCheck()
	if !t.Failed() && c.killed == 0 {
		t.Error("the program was never killed")
	}
}

// failpoints lists the names in the program's source, which are literals.
func failpoints(t *testing.T) []string {
	t.Helper()
	found := map[string]string{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if strings.HasPrefix(d.Name(), ".") && path != root || d.Name() == "testdata" || d.Name() == "failpoint" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_templ.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			fn, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := fn.X.(*ast.Ident); !ok || pkg.Name != "failpoint" || fn.Sel.Name != "Hit" && fn.Sel.Name != "Fail" {
				return true
			}
			text, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: the name of a failpoint is not a literal", path)
				return true
			}
			name, err := strconv.Unquote(text.Value)
			if before, twice := found[name]; err != nil || twice {
				t.Errorf("failpoint %s is in %s and in %s, %v", text.Value, before, path, err)
			}
			found[name] = path
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 30 {
		t.Errorf("found %d failpoints, want at least 30: %q", len(found), slices.Sorted(maps.Keys(found)))
	}
	return slices.Sorted(maps.Keys(found))
}
