package main

import (
	"strings"
	"testing"
)

func TestConstant(t *testing.T) {
	for key, want := range map[string]string{
		"connect.title":         "ConnectTitle",
		"connect.biz_appid":     "ConnectBizAppID",
		"phone.wecom_title":     "PhoneWeComTitle",
		"blocked.wechat.title":  "BlockedWeChatTitle",
		"site.qr_alt":           "SiteQRAlt",
		"problem.404.title":     "Problem404Title",
		"connect.type_1_help":   "ConnectType1Help",
		"dashboard.no_api":      "DashboardNoAPI",
		"blocked.ip":            "BlockedIP",
		"connect.type.one_more": "ConnectTypeOneMore",
	} {
		if got := constant(key); got != want {
			t.Errorf("constant(%q) = %q, want %q", key, got, want)
		}
	}
}

func TestGenerate(t *testing.T) {
	source, err := generate("zh-CN.json", []byte(`{"b.two": "x", "a.one": {"one": "y", "other": "z"}}`))
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	first, second := strings.Index(text, `AOne Key = "a.one"`), strings.Index(text, `BTwo Key = "b.two"`)
	if first < 0 || second < first {
		t.Errorf("generate sorted the keys wrongly or lost one:\n%s", text)
	}
	if _, err := generate("zh-CN.json", []byte(`{`)); err == nil {
		t.Error("generate of half a catalog = nil, want an error")
	}
	// Two keys that make one constant would hide a sentence.
	if _, err := generate("zh-CN.json", []byte(`{"a.b": "x", "a_b": "y"}`)); err == nil {
		t.Error("generate of keys that collide = nil, want an error")
	}
}
