package wechat

import (
	"strings"
	"testing"

	"usher/internal/msgcrypt"
)

func TestEcho(t *testing.T) {
	// The worked example of WXBizMsgCrypt for the check of an address.
	c, err := msgcrypt.New(msgcrypt.Keys{AppID: "wx5823bf96d3bd56c7", Token: "QDG6eK", AESKey: testAESKey})
	if err != nil {
		t.Fatal(err)
	}
	r := &Receiver{Cipher: c, AppID: "wx5823bf96d3bd56c7"}
	const common = "timestamp=1409659589&nonce=263014780"
	const sealed = common + "&msg_signature=5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3&echostr=P9nAzCzyDtyTWESHep1vC5X9xho%2FqYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp%2B4RPcs8TgAE7OaBO%2BFZXvnaqQ%3D%3D"
	const plain = common + "&signature=93d1cec91cee4a4a8baada4c807ed13137622215"
	tests := []struct {
		name, query, want string
		refusal           Refusal
	}{
		{"sealed", sealed, "1616140317555161061", ""},
		{"sealed, another text", strings.Replace(sealed, "P9n", "P9m", 1), "", RefusedSignature},
		{"sealed, signature of another shape", strings.Replace(sealed, "5c45", "XC45", 1), "", RefusedShape},
		{"plain", plain + "&echostr=1616140317555161061", "1616140317555161061", ""},
		{"plain, signature wrong", strings.Replace(plain, "93d1", "93d2", 1) + "&echostr=1", "", RefusedSignature},
		{"plain, markup", plain + "&echostr=%3Cscript%3E", "", RefusedShape},
		{"plain, no signature", common + "&echostr=1", "", RefusedShape},
		{"no echostr", plain, "", RefusedShape},
		{"twice", plain + "&echostr=1&echostr=2", "", RefusedShape},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := r.Echo(tt.query)
			if got != tt.want || class(err) != tt.refusal {
				t.Errorf("Echo(%q) = %q, %v; want %q, refusal %q", tt.query, got, err, tt.want, tt.refusal)
			}
		})
	}
}
