package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"usher/internal/failpoint"
	"usher/internal/onboard"
	"usher/internal/rescue"
)

// groupLimit bounds how many writes share one commit.
const groupLimit = 256

// transaction is one that was begun. Exactly one of commit and rollback is called.
type transaction interface {
	querier
	commit() error
	rollback()
}

// writer runs writes one after the other and lets all that wait share one
// commit: with a durable commit costing more than a hundred inserts, that is
// what makes many concurrent writes fast. There is no timer: a lone write is
// committed at once.
type writer struct {
	begin func(context.Context) (transaction, error)
	jobs  chan *job
	ended chan struct{}

	mu     sync.RWMutex // held for reading while sending on jobs
	closed bool

	writes  atomic.Int64 // jobs that were answered after a commit
	commits atomic.Int64
}

// job is one write that waits for the writer.
type job struct {
	run   func(context.Context, querier) error
	taken atomic.Bool // by the writer to run it, or by its caller to withdraw it
	done  chan error
}

func newWriter(begin func(context.Context) (transaction, error)) *writer {
	w := &writer{begin: begin, jobs: make(chan *job, groupLimit), ended: make(chan struct{})}
	go w.loop()
	return w
}

// do runs one write and returns after it is committed. When ctx ends first and
// the write was not begun, it never will be; when it was begun, do waits for the
// outcome, so that an error never hides a change that was made.
func (w *writer) do(ctx context.Context, run func(context.Context, querier) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{run: run, done: make(chan error, 1)}
	if err := w.send(ctx, j); err != nil {
		return err
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		if j.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		return <-j.done
	}
}

func (w *writer) send(ctx context.Context, j *job) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	select {
	case w.jobs <- j:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close lets the waiting writes finish and ends the writer.
func (w *writer) close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.jobs)
	}
	w.mu.Unlock()
	<-w.ended
}

func (w *writer) loop() {
	defer close(w.ended)
	batch := make([]*job, 0, groupLimit)
	for first := range w.jobs {
		batch = batch[:0]
		for j, more := first, true; more; {
			if j.taken.CompareAndSwap(false, true) {
				batch = append(batch, j)
			}
			if len(batch) == groupLimit {
				break
			}
			select {
			case j, more = <-w.jobs:
			default:
				more = false
			}
		}
		if len(batch) > 0 {
			w.commit(batch)
		}
		clear(batch)
	}
}

// commit runs the batch in one transaction and answers everybody. When one of
// the writes fails, the transaction is done again with each write in a savepoint
// of its own, so that only the failing ones are undone. When it met the batch of
// another process each write gets a transaction of its own: two batches that each
// hold what the other one wants would only meet again.
func (w *writer) commit(batch []*job) {
	ctx := context.Background()
	results := make([]error, len(batch))
	err := w.try(ctx, batch, results, false)
	if errors.Is(err, errAgain) {
		err = w.try(ctx, batch, results, true)
	}
	if errors.Is(err, errAlone) {
		for _, j := range batch {
			err := alone(ctx, w.begin, j.run)
			if err == nil {
				w.commits.Add(1)
				w.writes.Add(1)
			}
			j.done <- err
		}
		return
	}
	if err == nil {
		w.commits.Add(1)
		w.writes.Add(int64(len(batch)))
	}
	for i, j := range batch {
		if err != nil {
			results[i] = err
		}
		j.done <- results[i]
	}
}

// errAgain says that the batch has to be done again with savepoints.
var errAgain = errors.New("one of the writes failed")

// errAlone says that each write of the batch has to be done in a transaction of
// its own.
var errAlone = errors.New("the batch met that of another process")

func (w *writer) try(ctx context.Context, batch []*job, results []error, savepoints bool) error {
	tx, err := w.begin(ctx)
	if err != nil {
		return err
	}
	for i, j := range batch {
		if savepoints {
			if results[i], err = runSaved(ctx, tx, j.run); err != nil {
				tx.rollback()
				return err
			}
			if retryable(results[i]) {
				tx.rollback()
				return errAlone
			}
			continue
		}
		results[i] = run(ctx, tx, j.run)
		if results[i] != nil && !harmless(results[i]) {
			tx.rollback()
			switch {
			case retryable(results[i]):
				return errAlone
			case len(batch) == 1:
				return results[i]
			}
			return errAgain
		}
	}
	return durable(tx)
}

// durable commits. A panic there, of which nobody knows what it left, ends neither
// the transaction's connection nor the writer.
func durable(tx transaction) error {
	err := rescue.Do(func() error {
		failpoint.Hit("store.before_commit")
		err := tx.commit()
		failpoint.Hit("store.after_commit")
		return err
	})
	if rescue.Is(err) {
		tx.rollback()
	}
	return err
}

// runSaved runs one write between a savepoint and its release. err is not nil
// when the transaction itself is of no more use.
func runSaved(ctx context.Context, tx transaction, fn func(context.Context, querier) error) (result, err error) {
	if _, err := tx.ExecContext(ctx, "SAVEPOINT job"); err != nil {
		return nil, err
	}
	result = run(ctx, tx, fn)
	if result != nil {
		if _, err := tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT job"); err != nil {
			return nil, errors.Join(result, err)
		}
	}
	_, err = tx.ExecContext(ctx, "RELEASE SAVEPOINT job")
	return result, err
}

// errBug is of a write that fails alike however often it is done.
var errBug = errors.New("a fault of this program")

// run keeps a panic of one write from ending the writer.
func run(ctx context.Context, q querier, fn func(context.Context, querier) error) error {
	err := rescue.Do(func() error { return fn(ctx, q) })
	if rescue.Is(err) {
		return fmt.Errorf("%w: in a write: %w", errBug, err)
	}
	return err
}

// harmless reports whether a write failed before it changed anything.
func harmless(err error) bool {
	return errors.Is(err, onboard.ErrNoRow) || errors.Is(err, onboard.ErrFenced)
}

// retries bounds how often a write that met that of another process is done again.
const retries = 5

// alone runs fn in a transaction of its own.
func alone(ctx context.Context, begin func(context.Context) (transaction, error), fn func(context.Context, querier) error) error {
	for try := 1; ; try++ {
		tx, err := begin(ctx)
		if err != nil {
			return err
		}
		if err = run(ctx, tx, fn); err == nil {
			err = durable(tx)
		} else {
			tx.rollback()
		}
		if err == nil || !retryable(err) || try == retries {
			return err
		}
	}
}
