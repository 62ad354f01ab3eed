package adminviews

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"usher/internal/admin"
	"usher/internal/i18n"
)

// OverviewPage is what an admin sees first.
type OverviewPage struct {
	Frame
	admin.Overview
	// Has reports whether a page exists and the reader may see it, so that no link
	// leads nowhere.
	Has func(path string) bool
}

// attentionWord names a group in a few words, with its number.
func attentionWord(ctx context.Context, a admin.Attention) string {
	key := "overview.short." + string(a.Cause)
	if a.Cause == admin.CauseStatus {
		key += "." + a.Status.String()
	}
	return i18n.T(ctx, i18n.Key(key), "n", count(a.N, a.More))
}

// attentionHelp says what a group means and what to do.
func attentionHelp(ctx context.Context, a admin.Attention) string {
	key := "overview.help." + string(a.Cause)
	switch a.Cause {
	case admin.CauseStatus:
		key += "." + a.Status.String()
	case admin.CauseBlocked:
		key += strings.TrimPrefix(string(a.Block), "blocked")
	}
	return i18n.T(ctx, i18n.Key(key))
}

// attentionPath is the list that holds what is in a group.
func (m OverviewPage) attentionPath(a admin.Attention) string {
	path, query := HealthPath, ""
	switch a.Cause {
	case admin.CauseStatus:
		path, query = AccountsPath, "?status="+a.Status.String()
	case admin.CauseParked:
		path, query = EventsPath, "?result="+string(admin.EventFailed)
	case admin.CauseLapsed:
		path, query = InvitesPath, "?state="+string(admin.InviteLapsed)
	}
	if !m.Has(path) {
		return ""
	}
	return path + query
}

func attentionClass(a admin.Attention) string {
	if a.Serious() {
		return "bad"
	}
	return "warn"
}

// todo is what the list shows. At the beginning, trouble with the platform is part of
// the first step instead.
func (m OverviewPage) todo() []admin.Attention {
	if m.Began {
		return m.Todo
	}
	return slices.DeleteFunc(slices.Clone(m.Todo), admin.Attention.Platform)
}

// sentence is everything in one.
func (m OverviewPage) sentence(ctx context.Context) string {
	var words []string
	n, more := 0, false
	for _, a := range m.todo() {
		words = append(words, attentionWord(ctx, a))
		n, more = n+a.N, more || a.More
	}
	return i18n.T(ctx, i18n.OverviewTodo, "n", count(n, more), "list", strings.Join(words, i18n.T(ctx, i18n.OverviewComma)))
}

// count writes a number; more says that it is not the last of them.
func count(n int, more bool) string {
	if more {
		return strconv.Itoa(n) + "+"
	}
	return strconv.Itoa(n)
}
