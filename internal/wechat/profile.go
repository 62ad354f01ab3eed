package wechat

import (
	"context"
	"encoding/json"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// authorizerInfo is the authorizer_info of an account. Only the parts that the
// service shows or decides by are read.
type authorizerInfo struct {
	Nickname     text     `json:"nick_name"`
	HeadImage    text     `json:"head_img"`
	ServiceType  identity `json:"service_type_info"`
	VerifyType   identity `json:"verify_type_info"`
	UserName     text     `json:"user_name"`
	Alias        text     `json:"alias"`
	QRCodeURL    text     `json:"qrcode_url"`
	Principal    text     `json:"principal_name"`
	Signature    text     `json:"signature"`
	Status       number   `json:"account_status"`
	RegisterType number   `json:"register_type"`

	MiniProgram json.RawMessage `json:"MiniProgramInfo"`
	Channels    json.RawMessage `json:"channels_info"`
	Store       json.RawMessage `json:"store_info"`
	Talent      json.RawMessage `json:"talent_info"`
	Supplier    json.RawMessage `json:"supplier_info"`
}

// kind follows the test of the official page: which object is there.
func (i authorizerInfo) kind() onboard.AccountKind {
	switch {
	case object(i.MiniProgram):
		return onboard.MiniProgram
	case object(i.Channels):
		return onboard.Channels
	case object(i.Store):
		return onboard.Shop
	case object(i.Talent):
		return onboard.SalesAssistant
	case object(i.Supplier):
		return onboard.Supplier
	}
	return onboard.OfficialAccount
}

// categories reads the business categories. They are only shown, so what is not
// understood is left out.
func (i authorizerInfo) categories() []onboard.Category {
	var info struct {
		Categories json.RawMessage `json:"categories"`
	}
	var rows []json.RawMessage
	if json.Unmarshal(i.MiniProgram, &info) != nil || json.Unmarshal(info.Categories, &rows) != nil {
		return nil
	}
	var out []onboard.Category
	for _, row := range rows {
		var c struct {
			First  text `json:"first"`
			Second text `json:"second"`
		}
		if object(row) && json.Unmarshal(row, &c) == nil && c.First+c.Second != "" {
			out = append(out, onboard.Category{First: string(c.First), Second: string(c.Second)})
		}
	}
	return out
}

// Profile reads an account with its grants and its refresh token
// (获取授权账号详情, /cgi-bin/component/api_get_authorizer_info). The refresh
// token may be empty; Grants are nil when WeChat sent no func_info.
func (c *Client) Profile(ctx context.Context, platformToken secret.Secret, account onboard.AppID) (onboard.Profile, onboard.Grants, secret.Secret, error) {
	r := request{
		path:  "/cgi-bin/component/api_get_authorizer_info",
		token: platformToken,
		body: struct {
			AppID   string `json:"component_appid"`
			Account string `json:"authorizer_appid"`
		}{string(c.AppID), string(account)},
	}
	fail := func(what string) (onboard.Profile, onboard.Grants, secret.Secret, error) {
		return onboard.Profile{}, nil, secret.Secret{}, r.incomplete(what)
	}
	var answer struct {
		Info          *authorizerInfo   `json:"authorizer_info"`
		Authorization authorizationInfo `json:"authorization_info"`
		OldQRCodeURL  text              `json:"qrcode_url"` // where older samples have it
	}
	if err := c.call(ctx, r, &answer); err != nil {
		return onboard.Profile{}, nil, secret.Secret{}, err
	}
	if answer.Info == nil {
		return fail("answer without authorizer_info")
	}
	if id := answer.Authorization.id(); id != "" && string(id) != string(account) {
		return fail("answer for another account")
	}
	granted, ok := answer.Authorization.FuncInfo.domain()
	if !ok {
		return fail("func_info with an entry without id")
	}
	i := answer.Info
	p := onboard.Profile{
		Kind:         i.kind(),
		Nickname:     string(i.Nickname),
		HeadImageURL: string(i.HeadImage),
		OriginalID:   string(i.UserName),
		Alias:        string(i.Alias),
		Principal:    string(i.Principal),
		Signature:    string(i.Signature),
		QRCodeURL:    string(i.QRCodeURL),
		ServiceType:  i.ServiceType.id.or(0),
		Verification: i.VerifyType.id.or(-1), // unverified until WeChat says otherwise
		Status:       i.Status.or(0),
		RegisterType: i.RegisterType.or(0),
		Categories:   i.categories(),
	}
	if p.QRCodeURL == "" {
		p.QRCodeURL = string(answer.OldQRCodeURL)
	}
	return p, granted, secret.New(string(answer.Authorization.Refresh)), nil
}
