package rescue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"usher/internal/rescue"
)

func TestDo(t *testing.T) {
	failed := errors.New("disk full")
	tests := []struct {
		name  string
		work  func() error
		text  string
		panic bool
	}{
		{"well", func() error { return nil }, "<nil>", false},
		{"an error", func() error { return failed }, "disk full", false},
		{"a fault of the runtime", func() error { var none []int; return fmt.Errorf("%d", none[len(none)]) }, "panic: runtime error: index out of range [0] with length 0", true},
		{"a value that may be a secret", func() error { panic("token-of-a-merchant") }, "panic of type string", true},
		{"an error as the value", func() error { panic(fmt.Errorf("token-of-a-merchant")) }, "panic of type *fmt.wrapError", true},
	}
	tests[4].text = fmt.Sprintf("panic of type %T", fmt.Errorf("x"))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := rescue.Do(tt.work)
			wrapped := fmt.Errorf("around: %w", err)
			if fmt.Sprint(err) != tt.text || err != nil && rescue.Is(wrapped) != tt.panic {
				t.Errorf("Do = %v, a panic: %v; want %s, %v", err, rescue.Is(wrapped), tt.text, tt.panic)
			}
			attrs := fmt.Sprint(rescue.Attrs(wrapped)...)
			if strings.Contains(attrs, "rescue_test.go") != tt.panic || strings.Contains(attrs, "token-of-a-merchant") {
				t.Errorf("Attrs = %s; want where it happened: %v", attrs, tt.panic)
			}
		})
	}
}
