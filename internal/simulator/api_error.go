package simulator

// An apiError is one errcode and the errmsg WeChat sends with it, without the
// rid that is added when it is written.
type apiError struct {
	code int
	text string
}

// failure returns the error with WeChat's usual text for code.
func failure(code int) *apiError { return &apiError{code, errorText(code)} }

func errorText(code int) string {
	switch code {
	case -1:
		return "system error"
	case 40001:
		return "invalid credential, access_token is invalid or not latest"
	case 40013:
		return "invalid appid"
	case 40097:
		return "invalid args"
	case 40125:
		return "invalid appsecret"
	case 40170:
		return "args count exceed count limit"
	case 41001:
		return "access_token missing"
	case 41004:
		return "appsecret missing"
	case 41018:
		return "missing component_appid"
	case 42001:
		return "access_token expired"
	case 43001:
		return "require GET method"
	case 43002:
		return "require POST method"
	case 44002:
		return "empty post data"
	case 45009:
		return "reach max api daily quota limit"
	case 45011:
		return "api minute-quota reach limit, must slower, retry next minute"
	case 47001:
		return "data format error"
	case 48006:
		return "forbid to clear quota because of reaching the limit"
	case 61003:
		return "component is not authorized by this account"
	case 61004:
		return "access clientip is not registered"
	case 61005:
		return "component ticket is expired"
	case 61006:
		return "component ticket is invalid"
	case 61009:
		return "code is invalid"
	case 61010:
		return "code is expired"
	case 61014:
		return "must use component token for component api"
	case 61023:
		return "refresh_token is invalid"
	case 76003:
		return "cgi_path not found, please check"
	}
	return "error"
}
