package i18n

import (
	"context"
	"fmt"
	"time"
)

// china is the time of every page: the merchants and WeChat's console are
// there, and a fixed zone needs no time zone database.
var china = time.FixedZone("UTC+8", 8*60*60)

// Time writes t for the reader, in China's time and relative to now: 今天 10:42,
// 11 月 22 日 10:42, 2025 年 11 月 22 日 10:42; today at 10:42, 22 November at 10:42.
func Time(ctx context.Context, t, now time.Time) string {
	t, now = t.In(china), now.In(china)
	clock := t.Format("15:04")
	year, month, day := t.Date()
	sameYear := year == now.Year()
	sameDay := sameYear && t.YearDay() == now.YearDay()
	if From(ctx) == English {
		switch {
		case sameDay:
			return "today at " + clock
		case sameYear:
			return fmt.Sprintf("%d %s at %s", day, month, clock)
		}
		return fmt.Sprintf("%d %s %d at %s", day, month, year, clock)
	}
	switch {
	case sameDay:
		return "今天 " + clock
	case sameYear:
		return fmt.Sprintf("%d 月 %d 日 %s", month, day, clock)
	}
	return fmt.Sprintf("%d 年 %d 月 %d 日 %s", year, month, day, clock)
}

// Span writes how long something lasts, in the largest unit that it has whole: 7 天,
// 36 小时, 30 分钟.
func Span(ctx context.Context, d time.Duration) string {
	n, zh, en := int(d/time.Minute), "分钟", "minute"
	switch {
	case d >= 48*time.Hour && d%(24*time.Hour) == 0:
		n, zh, en = int(d/(24*time.Hour)), "天", "day"
	case d >= 2*time.Hour && d%time.Hour == 0:
		n, zh, en = int(d/time.Hour), "小时", "hour"
	}
	if From(ctx) != English {
		return fmt.Sprintf("%d %s", n, zh)
	}
	if n != 1 {
		en += "s"
	}
	return fmt.Sprintf("%d %s", n, en)
}

// Stamp writes t for the datetime attribute of a time element.
func Stamp(t time.Time) string { return t.In(china).Format("2006-01-02T15:04:05-07:00") }

// Clock writes the time of day, as 10:42.
func Clock(t time.Time) string { return t.In(china).Format("15:04") }
