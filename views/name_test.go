package views_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"usher/views"
)

func TestDisplayName(t *testing.T) {
	tests := []struct{ in, want string }{
		{"山茶花茶舍", "山茶花茶舍"},
		{"  Tea  House\t\n", "Tea House"},
		{"a\u202egpj.exe", "agpj.exe"},
		{"\u2066a\u2069\u200b\ufeff\u00adb", "ab"},
		{"a\x00\x1b[31mb\u0085c", "a[31mb c"},
		{"\u0301\u0301茶", "茶"},
		{"\u3164\u115f\u2800", ""},
		{"\U000e0041\U000e0042", ""},
		{" \u3000 ", ""},
		{"", ""},
		{"a\xffb", "ab"},
		{"<b>&amp;", "<b>&amp;"},
		{"e\u0301", "e\u0301"},
		{strings.Repeat("茶", 64), strings.Repeat("茶", 64)},
		{strings.Repeat("茶", 65), strings.Repeat("茶", 64) + "…"},
		{strings.Repeat("茶", 63) + " 茶", strings.Repeat("茶", 63) + "…"},
		{strings.Repeat("茶", 64) + "   ", strings.Repeat("茶", 64)},
		{"🍵\ufe0f茶", "🍵茶"},
	}
	for _, tt := range tests {
		if got := views.DisplayName(tt.in); got != tt.want {
			t.Errorf("DisplayName(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// FuzzDisplayName checks that whatever a remote name holds, what is shown is
// short, one line, valid, and stays what it is when it is shown again.
func FuzzDisplayName(f *testing.F) {
	for _, s := range []string{"", "山茶花\u202e茶舍", strings.Repeat("x ", 70), "\xff\xfe", "\u3164a\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := views.DisplayName(s)
		if n := utf8.RuneCountInString(got); n > 65 || !utf8.ValidString(got) {
			t.Errorf("DisplayName(%q) = %q, of %d characters", s, got, n)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
			t.Errorf("DisplayName(%q) = %q holds a control character", s, got)
		}
		if again := views.DisplayName(got); again != got && !strings.HasSuffix(got, "…") {
			t.Errorf("DisplayName(DisplayName(%q)) = %q, want %q", s, again, got)
		}
	})
}
