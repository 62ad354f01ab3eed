package onboard_test

import (
	"testing"

	"usher/internal/onboard"
)

func TestParseAppID(t *testing.T) {
	tests := []struct {
		in   string
		want onboard.AppID
		key  onboard.Key // of the sentence shown, empty where the value is accepted
	}{
		{"", "", ""},
		{"   ", "", ""},
		{" wx0123456789abcdef ", "wx0123456789abcdef", ""},
		{"ｗｘ０１２３４５６７８９ａｂｃｄｅｆ", "wx0123456789abcdef", ""},
		{"　wx0123456789abcdef　", "wx0123456789abcdef", ""},
		{"wx0123456789ABCDEF", "", onboard.KeyBizAppID},
		{"wx0123456789abcde", "", onboard.KeyBizAppID},
		{"wx0123456789abcdef0", "", onboard.KeyBizAppID},
		{"gh_0123456789abcde", "", onboard.KeyBizAppID},
		{"wx0123456789abcdeé", "", onboard.KeyBizAppID},
		{"wx0123456789abcde'", "", onboard.KeyBizAppID},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := onboard.ParseAppID(tt.in)
			var key onboard.Key
			if err != nil {
				_, key = onboard.Explain(err)
			}
			if got != tt.want || key != tt.key {
				t.Errorf("ParseAppID(%q) = %q, %q; want %q, %q", tt.in, got, key, tt.want, tt.key)
			}
		})
	}
}

func TestParseAuthType(t *testing.T) {
	tests := []struct {
		in   string
		want onboard.AuthType
		ok   bool
	}{
		{"1", onboard.OfficialAccounts, true}, {"2", onboard.MiniPrograms, true}, {"3", onboard.OfficialAndMini, true},
		{"4", onboard.Promoters, true}, {"5", onboard.ChannelsAccounts, true}, {"6", onboard.AllAccounts, true},
		{"8", onboard.SalesAssistants, true},
		{"7", 0, false}, {"", 0, false}, {"0", 0, false}, {"9", 0, false}, {"11", 0, false}, {"x", 0, false}, {"１", 0, false},
	}
	for _, tt := range tests {
		got, err := onboard.ParseAuthType(tt.in)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("ParseAuthType(%q) = %d, %v; want %d, ok %v", tt.in, got, err, tt.want, tt.ok)
		}
	}
}

func TestAuthTypeCovers(t *testing.T) {
	tests := []struct {
		t    onboard.AuthType
		k    onboard.AccountKind
		want bool
	}{
		{onboard.OfficialAccounts, onboard.OfficialAccount, true},
		{onboard.OfficialAccounts, onboard.MiniProgram, false},
		{onboard.MiniPrograms, onboard.MiniProgram, true},
		{onboard.MiniPrograms, onboard.Channels, false},
		{onboard.OfficialAndMini, onboard.MiniProgram, true},
		{onboard.OfficialAndMini, onboard.Channels, false},
		{onboard.AllAccounts, onboard.Channels, true},
		{onboard.AllAccounts, onboard.SalesAssistant, false},
		{onboard.SalesAssistants, onboard.SalesAssistant, true},
		{onboard.MiniPrograms, onboard.UnknownKind, true},
		{onboard.MiniPrograms, onboard.Shop, true},
	}
	for _, tt := range tests {
		if got := tt.t.Covers(tt.k); got != tt.want {
			t.Errorf("AuthType(%d).Covers(%q) = %v, want %v", tt.t, tt.k, got, tt.want)
		}
	}
}
