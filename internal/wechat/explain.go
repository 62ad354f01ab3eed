package wechat

import (
	"errors"
	"slices"
	"strconv"

	"usher/internal/msgcrypt"
	"usher/internal/onboard"
)

// Explain tells check by check why [Receiver.OpenPush] accepts or refuses a push.
// It is the same code with somebody taking notes.
func (r *Receiver) Explain(rawQuery string, body []byte) onboard.Explanation {
	var n notes
	push, err := r.openPush(rawQuery, body, &n)
	e := onboard.Explanation{Steps: n.steps, Type: push.Event.Type, Fields: Fields(n.plain)}
	if err != nil {
		refusal, _ := errors.AsType[Refusal](err)
		e.Refusal = string(refusal)
	}
	return e
}

// notes are taken of the checks of one push; nil takes none.
type notes struct {
	steps   []onboard.PushStep
	refused bool
	plain   []byte // the content when it was opened, whatever the verdict
}

// check notes how a check ended and returns ok.
func (n *notes) check(c onboard.PushCheck, ok bool, found string) bool {
	if n != nil {
		s := onboard.PushStep{Check: c, State: onboard.StepPassed, Beyond: n.refused, Found: found}
		if !ok {
			s.State, n.refused = onboard.StepRefused, true
		}
		n.steps = append(n.steps, s)
	}
	return ok
}

// openSigned is that of the cipher, noted.
func (n *notes) openSigned(c *msgcrypt.Cipher, q query, text string) (msgcrypt.Message, error) {
	if n == nil {
		return c.OpenSigned(q.timestamp, q.nonce, text, q.msgSignature)
	}
	trace, err := c.Explain(q.timestamp, q.nonce, text, q.msgSignature)
	n.plain = trace.Plain
	signed := slices.ContainsFunc(trace.Steps, func(s msgcrypt.Step) bool { return s.Check == msgcrypt.CheckSignature && s.OK })
	for _, s := range trace.Steps {
		step := onboard.PushStep{Check: cipherChecks[s.Check], State: onboard.StepPassed, Found: s.AppID,
			Beyond: n.refused || !signed && s.Check != msgcrypt.CheckSignature}
		if s.N > 0 {
			step.Found = strconv.Itoa(s.N)
		}
		if s.Age != 0 {
			step.Age = []string{"current", "previous"}[s.Age-msgcrypt.Current]
		}
		if !s.OK {
			step.State = onboard.StepRefused
			switch s.Check {
			case msgcrypt.CheckSignature:
				if signed {
					step.State = onboard.StepTried
				}
			case msgcrypt.CheckPadding, msgcrypt.CheckSize, msgcrypt.CheckAppID:
				if trace.Plain != nil {
					step.State = onboard.StepTried
				}
			}
		}
		n.steps = append(n.steps, step)
	}
	n.refused = n.refused || err != nil
	return msgcrypt.Message{Plain: trace.Plain}, err
}

var cipherChecks = map[msgcrypt.Check]onboard.PushCheck{
	msgcrypt.CheckSignature: onboard.CheckSignature, msgcrypt.CheckBase64: onboard.CheckBase64, msgcrypt.CheckLength: onboard.CheckLength,
	msgcrypt.CheckPadding: onboard.CheckPadding, msgcrypt.CheckSize: onboard.CheckSize, msgcrypt.CheckAppID: onboard.CheckSuffix,
}
