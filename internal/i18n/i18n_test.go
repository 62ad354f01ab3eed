package i18n

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

// TestParity checks that both catalogs hold the same sentences with the same
// placeholders, and that none of them is empty.
func TestParity(t *testing.T) {
	for key, zh := range catalogs[Chinese] {
		en, ok := catalogs[English][key]
		if !ok {
			t.Errorf("en.json lacks %q", key)
			continue
		}
		want := set(zh.other)
		for form, pieces := range map[string][]piece{"zh-CN": zh.other, "en": en.other, "en one": en.one} {
			if form == "en one" && pieces == nil {
				continue
			}
			if len(pieces) == 0 {
				t.Errorf("%q in %s is empty", key, form)
			}
			// A singular may spell its number out.
			if got := set(pieces); !slices.Equal(got, want) && form != "en one" && !numberOnly(zh, en) {
				t.Errorf("placeholders of %q in %s = %q, want %q", key, form, got, want)
			}
			for _, name := range names(pieces) {
				if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" {
					t.Errorf("%q in %s has the placeholder {%s}", key, form, name)
				}
			}
		}
		if zh.one != nil {
			t.Errorf("%q has a plural in zh-CN.json, but Chinese has none", key)
		}
	}
	for key := range catalogs[English] {
		if !Has(key) {
			t.Errorf("zh-CN.json lacks %q", key)
		}
	}
}

func set(pieces []piece) []string {
	found := names(pieces)
	slices.Sort(found)
	return slices.Compact(found)
}

// numberOnly reports whether the English sentence leaves out names that Chinese
// needs; only the ones listed here may, because they read oddly in English.
func numberOnly(zh, en sentence) bool {
	left := slices.DeleteFunc(set(zh.other), func(name string) bool { return slices.Contains(set(en.other), name) })
	added := slices.DeleteFunc(set(en.other), func(name string) bool { return slices.Contains(set(zh.other), name) })
	return (len(left) == 0 || slices.Equal(left, []string{"kind"})) && (len(added) == 0 || slices.Equal(added, []string{"brand"}))
}

// TestWriting holds the rules of our texts: no straight apostrophes, which are
// drawn wrongly beside Chinese fonts, no exclamation marks, and full-width
// punctuation between Chinese characters.
func TestWriting(t *testing.T) {
	for lang, sentences := range catalogs {
		for key, s := range sentences {
			for _, p := range append(slices.Clone(s.one), s.other...) {
				if strings.ContainsAny(p.text, "'\"!！’") || strings.Contains(p.text, "您") {
					t.Errorf("%q in %s: %q breaks our rules of writing", key, lang, p.text)
				}
				if lang != Chinese {
					continue
				}
				runes := []rune(p.text)
				for i := 1; i < len(runes); i++ {
					before, r := runes[i-1], runes[i]
					if unicode.Is(unicode.Han, before) && strings.ContainsRune(",.?;:()", r) {
						t.Errorf("%q: %q has half-width punctuation after a Chinese character", key, p.text)
					}
					if latin(before) && unicode.Is(unicode.Han, r) || unicode.Is(unicode.Han, before) && latin(r) {
						t.Errorf("%q: %q lacks a space between Chinese and Latin", key, p.text)
					}
				}
			}
		}
	}
}

func latin(r rune) bool {
	return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// TestKeys checks that keys*.go are what the generator makes of the catalogs now.
func TestKeys(t *testing.T) {
	names, err := filepath.Glob("keys*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source []byte
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source = append(source, text...)
	}
	if got, want := bytes.Count(source, []byte(" Key = \"")), len(catalogs[Chinese]); got != want {
		t.Errorf("keys*.go have %d constants for %d sentences; run go generate", got, want)
	}
	for key := range catalogs[Chinese] {
		if !bytes.Contains(source, []byte(" Key = \""+string(key)+"\"\n")) {
			t.Errorf("keys*.go lack %q; run go generate", key)
		}
	}
}

func TestMatch(t *testing.T) {
	tests := []struct {
		query, cookie, header string
		want                  Lang
	}{
		{"", "", "", Chinese},
		{"en", "zh-CN", "zh-CN", English},
		{"zh-cn", "en", "en", Chinese},
		{"zh", "en", "", Chinese},
		{"fr", "en", "zh", English},
		{"", "en", "zh-CN,zh;q=0.9", English},
		{"", "xx", "en-US,en;q=0.9", English},
		{"", "", "en-GB", English},
		{"", "", "zh-TW,en;q=0.5", Chinese},
		{"", "", "fr-FR,en;q=0.5", English},
		{"", "", "ja,ko", Chinese},
		{"", "", "*", Chinese},
		{"", "", "\x00;;q=,,", Chinese},
		{"", "", "zh-HK", Chinese},
		{"", "", strings.Repeat("en,", 5000), English},
	}
	for _, tt := range tests {
		if got := Match(tt.query, tt.cookie, tt.header); got != tt.want {
			t.Errorf("Match(%q, %q, %.40q) = %q, want %q", tt.query, tt.cookie, tt.header, got, tt.want)
		}
	}
}

func TestT(t *testing.T) {
	zh, en := context.Background(), With(context.Background(), English)
	tests := []struct {
		ctx  context.Context
		key  Key
		args []any
		want string
	}{
		{zh, SiteHelp, nil, "帮助"},
		{en, SiteHelp, nil, "Help"},
		{With(zh, "fr"), SiteHelp, nil, "帮助"},
		{zh, ConnectStep, []any{"n", 2}, "第 2 步，共 3 步"},
		{zh, ConnectStep, nil, "第 {n} 步，共 3 步"},
		{zh, ConnectStep, []any{"n"}, "第 {n} 步，共 3 步"},
		{en, AttemptSetsCount, []any{"n", 1}, "1 permission"},
		{en, AttemptSetsCount, []any{"n", 0}, "0 permissions"},
		{en, AttemptSetsCount, []any{"n", 21}, "21 permissions"},
		{zh, SiteTitle, []any{"title", "{brand}", "brand", "x"}, "{brand} · x"},
		{zh, "no.such", []any{"n", 1}, "no.such"},
	}
	for _, tt := range tests {
		if got := T(tt.ctx, tt.key, tt.args...); got != tt.want {
			t.Errorf("T(%s, %q, %v) = %q, want %q", From(tt.ctx), tt.key, tt.args, got, tt.want)
		}
	}
}

// TestSpace checks the space between Chinese and Latin that a value brings
// together; nothing else may move.
func TestSpace(t *testing.T) {
	tests := []struct {
		lang Lang
		text string
		v    string
		want string
	}{
		{Chinese, "授权给{v}", "Usher", "授权给 Usher"},
		{Chinese, "{v}拿不到", "Usher", "Usher 拿不到"},
		{Chinese, "授权给{v}", "青禾云", "授权给青禾云"},
		{Chinese, "在 {v} 前", "10:42", "在 10:42 前"},
		{Chinese, "在{v}前", "3", "在 3 前"},
		{Chinese, "“{v}”的", "Usher", "“Usher”的"},
		{Chinese, "授权{v}给", "", "授权给"},
		{Chinese, "给{v}", "Ａ店", "给Ａ店"},
		{Chinese, "给{v}", "🍵茶", "给🍵茶"},
		{English, "{v}s", "茶", "茶s"},
	}
	for _, tt := range tests {
		s := sentence{other: cut(tt.text)}
		if got := s.fill([]any{"v", tt.v}, tt.lang == Chinese); got != tt.want {
			t.Errorf("fill(%q, %q) in %s = %q, want %q", tt.text, tt.v, tt.lang, got, tt.want)
		}
	}
}

func TestSpan(t *testing.T) {
	tests := []struct {
		d      time.Duration
		zh, en string
	}{
		{30 * time.Minute, "30 分钟", "30 minutes"},
		{time.Minute, "1 分钟", "1 minute"},
		{time.Hour, "60 分钟", "60 minutes"},
		{90 * time.Minute, "90 分钟", "90 minutes"},
		{2 * time.Hour, "2 小时", "2 hours"},
		{24 * time.Hour, "24 小时", "24 hours"},
		{36 * time.Hour, "36 小时", "36 hours"},
		{7 * 24 * time.Hour, "7 天", "7 days"},
	}
	for _, tt := range tests {
		for l, want := range map[Lang]string{Chinese: tt.zh, English: tt.en} {
			if got := Span(With(context.Background(), l), tt.d); got != want {
				t.Errorf("Span(%v) in %s = %q, want %q", tt.d, l, got, want)
			}
		}
	}
}

func TestTime(t *testing.T) {
	now := time.Date(2026, 11, 22, 16, 30, 0, 0, time.UTC) // 00:30 on the 23rd in China
	tests := []struct {
		at     time.Time
		zh, en string
	}{
		{now.Add(-29 * time.Minute), "今天 00:01", "today at 00:01"},
		{now.Add(-31 * time.Minute), "11 月 22 日 23:59", "22 November at 23:59"},
		{now.Add(7 * 24 * time.Hour), "11 月 30 日 00:30", "30 November at 00:30"},
		{now.AddDate(-1, 0, 0), "2025 年 11 月 23 日 00:30", "23 November 2025 at 00:30"},
		{time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC), "2027 年 1 月 1 日 00:00", "1 January 2027 at 00:00"},
	}
	for _, tt := range tests {
		if got := Time(context.Background(), tt.at, now); got != tt.zh {
			t.Errorf("Time(zh, %v) = %q, want %q", tt.at, got, tt.zh)
		}
		if got := Time(With(context.Background(), English), tt.at, now); got != tt.en {
			t.Errorf("Time(en, %v) = %q, want %q", tt.at, got, tt.en)
		}
	}
	if got, want := Stamp(now), "2026-11-23T00:30:00+08:00"; got != want {
		t.Errorf("Stamp(%v) = %q, want %q", now, got, want)
	}
}

func TestSentenceRefusesHalfAPlural(t *testing.T) {
	for _, text := range []string{`{"one": "a"}`, `{"other": "a"}`, `{}`, `7`, `[]`} {
		var s sentence
		if err := s.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("UnmarshalJSON(%s) = nil, want an error", text)
		}
	}
}
