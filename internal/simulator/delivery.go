package simulator

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"usher/internal/msgcrypt"
)

// keptDeliveries is how many deliveries the control page looks back on.
const keptDeliveries = 200

// A Delivery is one try to push an event.
type Delivery struct {
	At       time.Time     `json:"at"`
	InfoType string        `json:"infoType"`
	Account  string        `json:"account,omitempty"` // appid the event is about; empty for tickets
	Try      int           `json:"try"`               // 1 for the first
	Status   int           `json:"status"`            // HTTP status; 0 = no answer
	Took     time.Duration `json:"took"`
	Outcome  string        `json:"outcome"` // "success", "dropped", or what was wrong
}

func (s *Simulator) record(d Delivery) {
	s.deliveries = append(s.deliveries, d)
	if n := len(s.deliveries) - keptDeliveries; n > 0 {
		s.deliveries = slices.Delete(s.deliveries, 0, n)
	}
}

// Deliveries returns the latest pushes, oldest first.
func (s *Simulator) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deliveries)
}

// Deliver sends every push that is due, in order, and returns what the client
// did not accept. When it returns, pushes that Run took before have arrived too.
// Run does this by itself; a test that does not run it calls Deliver where it
// wants the pushes to arrive.
func (s *Simulator) Deliver(ctx context.Context) error {
	select {
	case s.sending <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.sending }()
	return s.drain(ctx)
}

// pushNow runs prepare, which changes something and queues pushes about it, and
// sends those after everything that was due before, so that its caller learns
// what became of them even while Run is at work. prepare runs with the lock held.
func (s *Simulator) pushNow(ctx context.Context, prepare func() error) error {
	select {
	case s.sending <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.sending }()
	_ = s.drain(ctx) // the deliveries tell what became of earlier pushes
	s.mu.Lock()
	err := prepare()
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.drain(ctx)
}

// drain is Deliver for whoever holds s.sending.
func (s *Simulator) drain(ctx context.Context) error {
	var failed []error
	for {
		p, to, ok := s.nextDue()
		if !ok {
			return errors.Join(failed...)
		}
		if err := s.send(ctx, p, to); err != nil {
			failed = append(failed, err)
		}
	}
}

// A receiver is where pushes go and what they are sealed with.
type receiver struct {
	crypt      *msgcrypt.Cipher
	token, url string
}

// nextDue takes the push that is due the longest out of the queue.
func (s *Simulator) nextDue() (p queuedPush, to receiver, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := -1
	for i, q := range s.queue {
		if !q.due.After(s.now()) && (first < 0 || q.due.Before(s.queue[first].due)) {
			first = i
		}
	}
	if first < 0 {
		return p, receiver{}, false
	}
	p = s.queue[first]
	s.queue = slices.Delete(s.queue, first, first+1)
	s.onItsWay++
	return p, receiver{s.crypt, s.cfg.Token, s.cfg.EventURL}, true
}

// send tries one push. Only status 200 with exactly "success" counts; anything
// else is repeated as often as PushFaults.Retries says.
func (s *Simulator) send(ctx context.Context, p queuedPush, to receiver) error {
	p.tries++
	s.mu.Lock()
	at := s.now()
	s.mu.Unlock()
	start := time.Now()
	status, outcome := s.post(ctx, to, p.xml, at)
	took := time.Since(start)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.onItsWay--
	s.record(Delivery{At: at, InfoType: p.infoType, Account: p.account, Try: p.tries, Status: status, Took: took, Outcome: outcome})
	if outcome == "success" {
		return nil
	}
	if p.tries <= s.faults.Push.Retries {
		p.due = s.now().Add(max(s.faults.Push.RetryPace, time.Millisecond))
		s.queue = append(s.queue, p)
		s.nudge()
	}
	return fmt.Errorf("simulator: push %s, try %d: %s", p.infoType, p.tries, outcome)
}

// post seals plain and posts it with the query and the outer XML of 消息推送.
func (s *Simulator) post(ctx context.Context, to receiver, plain string, at time.Time) (status int, outcome string) {
	if to.url == "" {
		return 0, "no event URL is set"
	}
	encrypt := to.crypt.Seal([]byte(plain))
	timestamp, nonce := fmt.Sprint(at.Unix()), randomText(10, digits)
	q := url.Values{
		"signature":     {plainSignature(to.token, timestamp, nonce)},
		"timestamp":     {timestamp},
		"nonce":         {nonce},
		"encrypt_type":  {"aes"},
		"msg_signature": {to.crypt.Signature(timestamp, nonce, encrypt)},
	}
	separator := "?"
	if strings.Contains(to.url, "?") {
		separator = "&"
	}
	body := "<xml>\n    <AppId>" + cdata(s.cfg.AppID) + "</AppId>\n    <Encrypt>" + cdata(encrypt) + "</Encrypt>\n</xml>\n"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.url+separator+q.Encode(), strings.NewReader(body))
	if err != nil {
		return 0, "the event URL cannot be used"
	}
	req.Header.Set("Content-Type", "text/xml")
	req.Header.Set("User-Agent", "Mozilla/4.0")
	resp, err := s.cfg.Client.Do(req)
	if err != nil {
		if cause, ok := errors.AsType[*url.Error](err); ok {
			err = cause.Err // without the URL and its signatures
		}
		return 0, "no answer: " + err.Error()
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 256))
	switch {
	case err != nil:
		return resp.StatusCode, "the answer broke off"
	case resp.StatusCode != http.StatusOK:
		return resp.StatusCode, fmt.Sprintf("status %d instead of 200", resp.StatusCode)
	case string(answer) != "success":
		return resp.StatusCode, fmt.Sprintf("answered %q instead of success", answer)
	}
	return resp.StatusCode, "success"
}

// plainSignature is the older signature parameter: it covers no body, so that a
// client that trusts it alone can be fooled.
func plainSignature(token, timestamp, nonce string) string {
	parts := []string{token, timestamp, nonce}
	slices.Sort(parts)
	return fmt.Sprintf("%x", sha1.Sum([]byte(strings.Join(parts, ""))))
}
