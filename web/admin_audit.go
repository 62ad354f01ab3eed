package web

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"usher/internal/admin"
	adminviews "usher/views/admin"
)

// auditRoutes show who did what.
func (s *Server) auditRoutes(r *adminRouter) {
	r.get(adminviews.AuditPath, admin.ReadAudit, s.auditPage)
	r.get(adminviews.AuditPath+"/export.csv", admin.ReadAudit, s.auditCSV)
	r.get(adminviews.AuditPath+"/export.jsonl", admin.ReadAudit, s.auditJSONL)
}

// auditOnPage is how many rows a page shows; auditAtOnce how many an export reads
// at a time.
const (
	auditOnPage = 50
	auditAtOnce = 500
)

const keyDate = "audit.error.date"

// auditFilter reads the filter out of the address. A day is one of China's, as the
// page shows them.
func (a *adminContext) auditFilter() (admin.Filter, adminviews.Faults) {
	f := admin.Filter{Actor: a.QueryParam("actor"), Action: a.QueryParam("action"), Target: a.QueryParam("target")}
	var faults adminviews.Faults
	f.From, f.Until = a.day("from", 0, &faults), a.day("until", 1, &faults)
	f.Before, _ = strconv.ParseInt(a.QueryParam("before"), 10, 64) // nonsense begins at the newest
	return f, faults
}

// day reads a date out of the address, and adds days to it.
func (a *adminContext) day(name string, days int, faults *adminviews.Faults) time.Time {
	text := a.QueryParam(name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.ParseInLocation(time.DateOnly, text, china)
	if err != nil {
		*faults = append(*faults, adminviews.Fault{Field: name, Key: keyDate})
		return time.Time{}
	}
	return t.AddDate(0, 0, days)
}

// china is the time zone of our pages.
var china = time.FixedZone("UTC+8", 8*60*60)

func (s *Server) auditPage(a *adminContext) error {
	f, faults := a.auditFilter()
	f.Limit = auditOnPage + 1 // one more tells whether there is another page
	m := adminviews.AuditPage{
		Actor: f.Actor, Action: f.Action, Target: f.Target, From: a.QueryParam("from"), Until: a.QueryParam("until"), Faults: faults,
	}
	var err error
	if m.Rows, err = s.Console.AuditRows(a.ctx(), f); err != nil {
		return err
	}
	if len(m.Rows) > auditOnPage {
		m.Rows = m.Rows[:auditOnPage]
		m.Next = m.Rows[auditOnPage-1].Seq
	}
	if m.Actions, m.Actors, err = s.Console.AuditNames(a.ctx()); err != nil {
		return err
	}
	if m.Chain, err = s.Console.AuditChain(a.ctx(), a.QueryParam("check") == "1"); err != nil {
		return err
	}
	status := http.StatusOK
	if len(faults) > 0 {
		status = http.StatusUnprocessableEntity
	}
	m.Frame = a.frame()
	return a.render(status, adminviews.Audit(m))
}

// exportAudit hands every row of the filter to write, the newest first.
func (a *adminContext) exportAudit(kind, name string, begin func(io.Writer) (write func(admin.Entry) error, end func() error, err error)) error {
	f, faults := a.auditFilter()
	if len(faults) > 0 {
		return a.NoContent(http.StatusUnprocessableEntity)
	}
	f.Limit = auditAtOnce
	h := a.Response().Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	var write func(admin.Entry) error
	var end func() error
	for {
		// The first rows are read before anything is answered, so that a failure is
		// still told by the status.
		rows, err := a.s.Console.AuditRows(a.ctx(), f)
		if err != nil {
			return err
		}
		if write == nil {
			if write, end, err = begin(a.Response()); err != nil {
				return err
			}
		}
		for _, e := range rows {
			if err := write(e); err != nil {
				return err
			}
			f.Before = e.Seq
		}
		if len(rows) < f.Limit {
			return end()
		}
	}
}

func (s *Server) auditCSV(a *adminContext) error {
	return a.exportAudit("text/csv; charset=utf-8", "audit.csv", func(w io.Writer) (func(admin.Entry) error, func() error, error) {
		sh, err := newSheet(w, "seq", "time", "actor", "action", "target", "before", "after", "address", "request_id", "prev", "hash")
		if err != nil {
			return nil, nil, err
		}
		return func(e admin.Entry) error {
			return sh.row(strconv.FormatInt(e.Seq, 10), e.At.In(china).Format(time.RFC3339), e.Actor, e.Action, e.Target, e.Before, e.After,
				e.Address, e.RequestID, e.Prev, e.Hash)
		}, sh.end, nil
	})
}

// auditLine is a row as programs read it. With at_ms, prev and hash a copy can be
// checked without us.
type auditLine struct {
	Seq       int64  `json:"seq"`
	At        string `json:"at"`
	AtMs      int64  `json:"at_ms"`
	ActorID   string `json:"actor_id"`
	Actor     string `json:"actor"`
	Action    string `json:"action"`
	Target    string `json:"target"`
	Before    string `json:"before"`
	After     string `json:"after"`
	Address   string `json:"address"`
	RequestID string `json:"request_id"`
	Prev      string `json:"prev"`
	Hash      string `json:"hash"`
}

func (s *Server) auditJSONL(a *adminContext) error {
	return a.exportAudit("application/jsonl; charset=utf-8", "audit.jsonl", func(w io.Writer) (func(admin.Entry) error, func() error, error) {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return func(e admin.Entry) error {
			return enc.Encode(auditLine{e.Seq, e.At.UTC().Format(time.RFC3339Nano), e.At.UnixMilli(), e.ActorID, e.Actor, e.Action, e.Target,
				e.Before, e.After, e.Address, e.RequestID, e.Prev, e.Hash})
		}, func() error { return nil }, nil
	})
}
