package wechat

import (
	"reflect"
	"strings"
	"testing"
)

func TestXML_Hostile(t *testing.T) {
	tests := []struct{ name, in string }{
		{"external entity", `<!DOCTYPE xml [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><AppId>&e;</AppId></xml>`},
		{"billion laughs", `<!DOCTYPE xml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><xml><AppId>&b;</AppId></xml>`},
		{"DOCTYPE alone", `<!DOCTYPE xml><xml><AppId>a</AppId></xml>`},
		{"DOCTYPE inside", `<xml><!DOCTYPE xml><AppId>a</AppId></xml>`},
		{"DOCTYPE after", `<xml><AppId>a</AppId></xml><!DOCTYPE xml>`},
		{"unknown entity", `<xml><AppId>&e;</AppId></xml>`},
		{"second document", `<xml><AppId>a</AppId></xml><xml><AppId>b</AppId></xml>`},
		{"text after", `<xml><AppId>a</AppId></xml>b`},
		{"text before", `b<xml><AppId>a</AppId></xml>`},
		{"text between", `<xml>b<AppId>a</AppId></xml>`},
		{"byte order mark", "\ufeff<xml><AppId>a</AppId></xml>"},
		{"another root", `<html><AppId>a</AppId></html>`},
		{"root in upper case", `<XML><AppId>a</AppId></XML>`},
		{"default namespace", `<xml xmlns="urn:a"><AppId>a</AppId></xml>`},
		{"prefixed root", `<a:xml xmlns:a="urn:a"><AppId>a</AppId></a:xml>`},
		{"prefixed child", `<xml><a:AppId>a</a:AppId></xml>`},
		{"GBK", `<?xml version="1.0" encoding="GBK"?><xml><AppId>a</AppId></xml>`},
		{"XML 1.1", `<?xml version="1.1"?><xml><AppId>a</AppId></xml>`},
		{"not UTF-8", "<xml><AppId>\xff</AppId></xml>"},
		{"control character", "<xml><AppId>\x01</AppId></xml>"},
		{"not a character", "<xml><AppId>\uffff</AppId></xml>"},
		{"NUL", "<xml><AppId>a\x00</AppId></xml>"},
		{"not closed", `<xml><AppId>a</AppId>`},
		{"child not closed", `<xml><AppId>a</xml>`},
		{"closed crosswise", `<xml><a><b></a></b></xml>`},
		{"CDATA not closed", `<xml><AppId><![CDATA[a</AppId></xml>`},
		{"end of CDATA outside", `<xml><AppId>a]]></AppId></xml>`},
		{"comment not closed", `<xml><!-- <AppId>a</AppId></xml>`},
		{"deep", strings.Repeat("<xml>", 40) + strings.Repeat("</xml>", 40)},
		{"64 KiB deep", strings.Repeat("<a>", 20000)},
		{"many", "<xml>" + strings.Repeat("<a/>", 300) + "</xml>"},
		{"many, plain", "<xml>" + strings.Repeat("<a></a>", 300) + "</xml>"},
		{"empty", ""},
		{"JSON", `{"AppId":"a"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if f, err := readXML(tt.in); err == nil || f != nil {
				t.Errorf("readXML(%.80q) = %+v, %v; want an error alone", tt.in, f, err)
			}
		})
	}
}

func TestReadXML(t *testing.T) {
	tests := []struct {
		name, in string
		want     fields
		fast     bool // read by the scanner
	}{
		{"bare", `<xml><a>b</a></xml>`, fields{{name: "a", value: "b"}}, true},
		{"CDATA", "\n<xml>\n\t<a><![CDATA[<b>&c]]></a>\n</xml>\n", fields{{name: "a", value: "<b>&c"}}, true},
		{"line break in CDATA", "<xml><a><![CDATA[x\ny]]></a></xml>", fields{{name: "a", value: "x\ny"}}, true},
		{"brackets in CDATA", "<xml><a><![CDATA[]]]]></a></xml>", fields{{name: "a", value: "]]"}}, true},
		{"Chinese", "<xml><a>商家</a></xml>", fields{{name: "a", value: "商家"}}, true},
		{"empty", "<xml></xml>", fields{}, true},
		{"empty child", "<xml><a></a></xml>", fields{{name: "a"}}, true},
		{"declaration", `<?xml version="1.0" encoding="UTF-8"?><xml><a>b</a></xml>`, fields{{name: "a", value: "b"}}, false},
		{"comment", `<xml><!-- c --><a>b</a></xml>`, fields{{name: "a", value: "b"}}, false},
		{"carriage returns", "<xml>\r\n<a>b\r\nc</a>\r\n</xml>", fields{{name: "a", value: "b\nc"}}, false},
		{"entities", "<xml><a>&lt;&#65;</a></xml>", fields{{name: "a", value: "<A"}}, false},
		{"pieces", "<xml><a>b<![CDATA[c]]>d</a></xml>", fields{{name: "a", value: "bcd"}}, false},
		{"self-closed", "<xml><a/></xml>", fields{{name: "a"}}, false},
		{"spaces in tags", "<xml ><a >b</a ></xml >", fields{{name: "a", value: "b"}}, false},
		{"attribute", `<xml><a b="c">d</a></xml>`, fields{{name: "a", value: "d"}}, false},
		{"nested", "<xml><i><a>b</a></i><a>c</a></xml>", fields{{name: "i", nested: true}, {name: "a", value: "c"}}, false},
		{"twice", "<xml><a>b</a><a>c</a></xml>", fields{{name: "a", value: "b"}, {name: "a", value: "c"}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, fast := scanXML(tt.in)
			got, err := readXML(tt.in)
			if err != nil || fast != tt.fast || len(got) != len(tt.want) || len(got) > 0 && !reflect.DeepEqual(got, tt.want) {
				t.Errorf("readXML(%q) = %+v, %v (scanner %v); want %+v (scanner %v)", tt.in, got, err, fast, tt.want, tt.fast)
			}
		})
	}
}

// FuzzScanXML holds the scanner against encoding/xml: what it reads at all, it
// reads the same.
func FuzzScanXML(f *testing.F) {
	f.Add(sampleBody)
	f.Add(ticketXML("wx00000000000000c1", 1700000000, "ticket@@@商"))
	f.Add("<xml><a>]]</a><b><![CDATA[]]]]></b></xml>")
	f.Add("<xml><a>\u0085\u00a0</a></xml>")
	f.Add("<xml><xml>1</xml></xml>")
	f.Fuzz(func(t *testing.T, doc string) {
		got, ok := scanXML(doc)
		if !ok {
			return
		}
		want, err := decodeXML(doc)
		if err != nil || len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("scanXML(%q) = %+v, encoding/xml says %+v, %v", doc, got, want, err)
		}
	})
}
