package onboard

import "strings"

// Peers carries news to the other processes that serve the same database. News
// says what to read again, never what is there, so one that is lost or comes
// twice does no harm: pages read again every few seconds anyway. Tell must not
// wait.
type Peers interface {
	Tell(news string)
}

// What news is about; the id follows.
const (
	aboutAttempt = "attempt "
	aboutAccount = "account "
)

// Hear takes the news of other processes: pages of this one are drawn again, and
// tokens kept in memory are forgotten. Without news it takes everything for
// changed, as after a time in which none could be heard.
func (s *Service) Hear(news ...string) {
	if len(news) == 0 {
		s.tokens.forgetAll()
		s.hub.wakeAll()
	}
	for _, n := range news {
		if id, ok := strings.CutPrefix(n, aboutAttempt); ok {
			s.hub.wakeHere(id)
		} else if id, ok := strings.CutPrefix(n, aboutAccount); ok {
			s.tokens.forget(AppID(id))
		}
	}
}
