package wechat

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

func TestParseEvent(t *testing.T) {
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	head := func(infoType string) string {
		return "<xml><AppId><![CDATA[wx00000000000000c1]]></AppId><CreateTime>1413192760</CreateTime><InfoType><![CDATA[" + infoType + "]]></InfoType>"
	}
	const created, account = 1413192760, onboard.AppID("wx00000000000000a1")
	authorized := func(infoType, expires string) string {
		return head(infoType) + "<AuthorizerAppid>wx00000000000000a1</AuthorizerAppid><AuthorizationCode>queryauthcode@@@1</AuthorizationCode>" +
			expires + "<PreAuthCode>preauthcode@@@1</PreAuthCode></xml>"
	}
	granted := func(infoType onboard.EventType, end int64) onboard.Event {
		return onboard.Event{Type: infoType, CreatedAt: at(created), AppID: account, AuthCode: secret.New("queryauthcode@@@1"),
			CodeEndsAt: at(end), PreAuth: secret.New("preauthcode@@@1")}
	}
	tests := []struct {
		name, in string
		want     onboard.Event
		bad      bool
	}{
		{"ticket, bare as in 验证票据", `<xml>
<AppId>wx00000000000000c1</AppId>
<CreateTime>1413192605</CreateTime>
<InfoType>component_verify_ticket</InfoType>
<ComponentVerifyTicket>ticket@@@1</ComponentVerifyTicket>
</xml>`, onboard.Event{Type: onboard.TicketEvent, CreatedAt: at(1413192605), Ticket: secret.New("ticket@@@1")}, false},
		{"ticket, CDATA", ticketXML("wx00000000000000c1", created, "ticket@@@2"),
			onboard.Event{Type: onboard.TicketEvent, CreatedAt: at(created), Ticket: secret.New("ticket@@@2")}, false},
		{"ticket without ticket", head("component_verify_ticket") + "</xml>", onboard.Event{}, true},
		{"ticket without time", "<xml><InfoType>component_verify_ticket</InfoType><ComponentVerifyTicket>t</ComponentVerifyTicket></xml>", onboard.Event{}, true},
		{"ticket twice", head("component_verify_ticket") + "<ComponentVerifyTicket>a</ComponentVerifyTicket><ComponentVerifyTicket>b</ComponentVerifyTicket></xml>", onboard.Event{}, true},

		{"authorized, absolute end", authorized("authorized", "<AuthorizationCodeExpiredTime>1413196360</AuthorizationCodeExpiredTime>"), granted(onboard.AuthorizedEvent, 1413196360), false},
		{"authorized, relative end", authorized("authorized", "<AuthorizationCodeExpiredTime>600</AuthorizationCodeExpiredTime>"), granted(onboard.AuthorizedEvent, created+600), false},
		{"authorized, no end", authorized("authorized", ""), granted(onboard.AuthorizedEvent, created+3600), false},
		{"authorized, end is no number", authorized("authorized", "<AuthorizationCodeExpiredTime>soon</AuthorizationCodeExpiredTime>"), granted(onboard.AuthorizedEvent, created+3600), false},
		{"authorized, end negative", authorized("authorized", "<AuthorizationCodeExpiredTime>-1</AuthorizationCodeExpiredTime>"), granted(onboard.AuthorizedEvent, created+3600), false},
		{"updateauthorized", authorized("updateauthorized", "<AuthorizationCodeExpiredTime>1413196360</AuthorizationCodeExpiredTime>"), granted(onboard.UpdatedEvent, 1413196360), false},
		{"authorized by the market, without PreAuthCode", head("authorized") + "<AuthorizerAppid>wx00000000000000a1</AuthorizerAppid><AuthorizationCode>c</AuthorizationCode></xml>",
			onboard.Event{Type: onboard.AuthorizedEvent, CreatedAt: at(created), AppID: account, AuthCode: secret.New("c"), CodeEndsAt: at(created + 3600)}, false},
		{"authorized without code", head("authorized") + "<AuthorizerAppid>wx00000000000000a1</AuthorizerAppid></xml>",
			onboard.Event{Type: onboard.AuthorizedEvent, CreatedAt: at(created), AppID: account}, false},
		{"authorized, not an AppID", head("authorized") + "<AuthorizerAppid>&lt;b&gt;</AuthorizerAppid><AuthorizationCode>c</AuthorizationCode></xml>",
			onboard.Event{Type: onboard.AuthorizedEvent, CreatedAt: at(created), AuthCode: secret.New("c"), CodeEndsAt: at(created + 3600)}, false},
		{"authorized with neither", head("authorized") + "</xml>", onboard.Event{}, true},
		{"authorized without time", strings.Replace(authorized("authorized", ""), "CreateTime", "Createtime", 2), onboard.Event{}, true},

		{"unauthorized", head("unauthorized") + "<AuthorizerAppid>wx00000000000000a1</AuthorizerAppid></xml>",
			onboard.Event{Type: onboard.UnauthorizedEvent, CreatedAt: at(created), AppID: account}, false},
		{"unauthorized without account", head("unauthorized") + "</xml>", onboard.Event{}, true},

		{"registration of a company", head("notify_third_fasteregister") + `
<appid>wx00000000000000a1</appid><status>0</status><auth_code>queryauthcode@@@1</auth_code><msg>OK</msg>
<info><name><![CDATA[企业]]></name><code><![CDATA[1]]></code><code_type>1</code_type></info></xml>`,
			onboard.Event{Type: "notify_third_fasteregister", CreatedAt: at(created), AppID: account, AuthCode: secret.New("queryauthcode@@@1"), CodeEndsAt: at(created + 3600)}, false},
		{"registration that failed", head("notify_third_fasteregister") + "<status>-1</status><msg>check legal persona and enterprise fail</msg><auth_code>x</auth_code><info><name>n</name></info></xml>",
			onboard.Event{Type: "notify_third_fasteregister", CreatedAt: at(created)}, false},
		{"trial", head("notify_third_fastregisterbetaapp") + "<appid>wx00000000000000a1</appid><status>0</status><msg>OK</msg><info><unique_id>1</unique_id></info></xml>",
			onboard.Event{Type: "notify_third_fastregisterbetaapp", CreatedAt: at(created), AppID: account}, false},
		{"trial certified", head("notify_third_fastverifybetaapp") + "<appid>wx00000000000000a1</appid><status>0</status></xml>",
			onboard.Event{Type: "notify_third_fastverifybetaapp", CreatedAt: at(created), AppID: account}, false},
		{"certification", head("notify_3rd_wxa_auth") + "<appid>wx00000000000000a1</appid><taskid>t</taskid><dispatch_info><provider>p</provider></dispatch_info></xml>",
			onboard.Event{Type: "notify_3rd_wxa_auth", CreatedAt: at(created), AppID: account}, false},
		{"certification ends", head("notify_3rd_wxa_wxverify") + "<appid>wx00000000000000a1</appid><expired>1</expired></xml>",
			onboard.Event{Type: "notify_3rd_wxa_wxverify", CreatedAt: at(created), AppID: account}, false},
		{"filing, face check", head("notify_icpfiling_verify_result") + "<task_id>1</task_id><verify_appid>wx00000000000000a1</verify_appid><result>3</result></xml>",
			onboard.Event{Type: "notify_icpfiling_verify_result", CreatedAt: at(created), AppID: account}, false},
		{"filing", head("notify_apply_icpfiling_result") + "<authorizer_appid>wx00000000000000a1</authorizer_appid><beian_status>6</beian_status></xml>",
			onboard.Event{Type: "notify_apply_icpfiling_result", CreatedAt: at(created), AppID: account}, false},
		{"certification and filing", head("notify_3rd_wxa_auth_and_icp") + "<procedure_id>1</procedure_id></xml>",
			onboard.Event{Type: "notify_3rd_wxa_auth_and_icp", CreatedAt: at(created)}, false},
		{"order pages", head("order_path_apply_result_notify") + "<list><appid>wx00000000000000a1</appid><ret_code>0</ret_code></list><list><appid>wx00000000000000a2</appid></list></xml>",
			onboard.Event{Type: "order_path_apply_result_notify", CreatedAt: at(created)}, false},
		{"order pages audited", head("order_path_audit_result_notify") + "</xml>", onboard.Event{Type: "order_path_audit_result_notify", CreatedAt: at(created)}, false},
		{"a type of the future without time", "<xml><InfoType>brand_new</InfoType><a/></xml>", onboard.Event{Type: "brand_new"}, false},

		{"no type", "<xml><AppId>a</AppId></xml>", onboard.Event{}, true},
		{"empty type", "<xml><InfoType></InfoType></xml>", onboard.Event{}, true},
		{"type with markup", "<xml><InfoType><![CDATA[<b>]]></InfoType></xml>", onboard.Event{}, true},
		{"type with a line break", "<xml><InfoType>a\nb</InfoType></xml>", onboard.Event{}, true},
		{"long type", "<xml><InfoType>" + strings.Repeat("a", 65) + "</InfoType></xml>", onboard.Event{}, true},
		{"two types", "<xml><InfoType>authorized</InfoType><InfoType>unauthorized</InfoType></xml>", onboard.Event{}, true},
		{"nested type", "<xml><InfoType><InfoType>authorized</InfoType></InfoType></xml>", onboard.Event{}, true},
		{"message instead of event", "<xml><ToUserName>gh_1</ToUserName><MsgType>text</MsgType></xml>", onboard.Event{}, true},
		{"nothing", "", onboard.Event{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseEvent([]byte(tt.in))
			if (err != nil) != tt.bad || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("ParseEvent(%q) = %+v, %v; want %+v, error %v", tt.in, got, err, tt.want, tt.bad)
			}
		})
	}
}

// FuzzInner feeds the plaintext side: what somebody with the key could send, and
// what an old arrival holds when it is read again.
func FuzzInner(f *testing.F) {
	f.Add(ticketXML("wx00000000000000c1", 1700000000, "ticket@@@1"))
	f.Add("<xml><InfoType>authorized</InfoType><CreateTime>1700000000</CreateTime><AuthorizerAppid>wx00000000000000a1</AuthorizerAppid><AuthorizationCode>c</AuthorizationCode><AuthorizationCodeExpiredTime>99999999999</AuthorizationCodeExpiredTime></xml>")
	f.Add("<xml><InfoType>notify_third_fasteregister</InfoType><CreateTime>1</CreateTime><status>0</status><info><a/></info></xml>")
	f.Fuzz(func(t *testing.T, inner string) {
		e, err := ParseEvent([]byte(inner))
		if err != nil {
			if e != (onboard.Event{}) {
				t.Errorf("ParseEvent(%q) = %+v beside %v", inner, e, err)
			}
			return
		}
		if !isName(string(e.Type)) {
			t.Errorf("ParseEvent(%q) has the type %q", inner, e.Type)
		}
		if id, err := onboard.ParseAppID(string(e.AppID)); err != nil || id != e.AppID {
			t.Errorf("ParseEvent(%q) has the AppID %q", inner, e.AppID)
		}
		if e.Type == onboard.TicketEvent && (e.Ticket.Empty() || e.CreatedAt.IsZero()) {
			t.Errorf("ParseEvent(%q) = %+v, a ticket that cannot be used", inner, e)
		}
		if !e.CodeEndsAt.IsZero() && e.AuthCode.Empty() {
			t.Errorf("ParseEvent(%q) has an end without a code", inner)
		}
	})
}
