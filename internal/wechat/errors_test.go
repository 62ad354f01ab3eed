package wechat

import (
	"fmt"
	"testing"

	"usher/internal/onboard"
)

// TestReact holds the reactions against the official list of return codes, one
// group at a time.
func TestReact(t *testing.T) {
	tests := []struct {
		api   string
		want  onboard.Reaction
		codes []int
	}{
		{"api_create_preauthcode", onboard.Backoff, []int{-1, 777777, -99}},
		{"api_create_preauthcode", onboard.RefreshPlatform, []int{40001, 40014, 42001, 42006}},
		{"api_query_auth", onboard.RefreshPlatform, []int{40001, 40014, 42001, 42006}},
		{"api_authorizer_token", onboard.RefreshPlatform, []int{40001, 40014, 42001, 42006}},
		{"api_get_authorizer_info", onboard.RefreshPlatform, []int{40001, 40014, 42001, 42006}},
		{"api_get_authorizer_list", onboard.RefreshPlatform, []int{40001, 40014, 42001, 42006}},
		{"api_component_token", onboard.Configure, []int{40001, 40013, 40014, 40125, 48001, 61004, 61011}},
		{"api_start_push_ticket", onboard.Configure, []int{40001, 40013}},
		{"clear_quota/v2", onboard.Configure, []int{40001, 40013}},
		{"api_component_token", onboard.AwaitTicket, []int{40091, 61005, 61006}},
		{"api_create_preauthcode", onboard.Configure, []int{40013, 40090, 40094, 40125, 40164, 45035, 48001, 61000, 61001, 61004, 61011, 61028, 61029}},
		{"api_query_auth", onboard.Configure, []int{40013}},
		{"api_authorizer_token", onboard.Bug, []int{40013}},
		{"api_get_authorizer_info", onboard.Bug, []int{40013}},
		{"api_query_auth", onboard.CodeSpent, []int{40029, 42003, 61009, 61010}},
		{"api_authorizer_token", onboard.Reauthorize, []int{40030, 42002, 42007, 61003, 61023}},
		{"api_get_authorizer_info", onboard.Reauthorize, []int{61003}},
		{"api_get_authorizer_info", onboard.MissingScope, []int{61007, 61017}},
		{"api_get_authorizer_info", onboard.Show, []int{48001, 48004, 50002, 61002, 61016, 61018, 61019, 61021, 61022}},
		{"api_component_token", onboard.Quota, []int{45009, 45011, 48006}},
		{"api_create_preauthcode", onboard.Bug, []int{40002, 40003, 40097, 40170, 41001, 41002, 41003, 41004, 41011, 41018, 41019, 41020, 41021,
			43001, 43002, 43003, 44002, 47001, 47002, 61008, 61012, 61013, 61014, 61015, 61020, 61024, 61025, 61451, 76003, 76022, 86000}},
		{"api_create_preauthcode", onboard.Show, []int{45015, 45047, 61026, 61027, 61030, 61051, 61052, 61053, 61054, 61055, 61056, 61058, 61061, 61063, 61064,
			61065, 61066, 61067, 61068, 61069, 61070, 65400, 65401, 86004, 89000, 89001, 89002, 89003, 89004, 89247, 89248, 89249, 89250, 89251, 89252, 89253, 89254, 91030}},
	}
	for _, tt := range tests {
		for _, code := range tt.codes {
			t.Run(fmt.Sprintf("%s %d", tt.api, code), func(t *testing.T) {
				if got := react(tt.api, code); got != tt.want {
					t.Errorf("react(%q, %d) = %d, want %d", tt.api, code, got, tt.want)
				}
			})
		}
	}
}
