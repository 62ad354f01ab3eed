package simulator

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"time"
)

const gatewayPage = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"

// A faultList is what hits one call.
type faultList []Fault

// before acts out what goes wrong before WeChat does anything; it reports true
// when the call is over.
func (l faultList) before(w http.ResponseWriter, r *http.Request) bool {
	for _, f := range l {
		switch f.Kind {
		case Latency:
			if !pass(r, f.Delay) {
				return true
			}
		case Hang:
			if f.Delay == 0 {
				<-r.Context().Done()
			} else if pass(r, f.Delay) {
				reset(w)
			}
			return true
		case ErrCode, ErrCodeText:
			code := f.Code
			if code == 0 {
				code = -1
			}
			answer := object{"errcode": code, "errmsg": errorText(code) + " rid: " + newRID()}
			if f.Kind == ErrCodeText {
				answer["errcode"] = string(encodeJSON(code))
			}
			writeJSON(w, encodeJSON(answer))
			return true
		case ResetBefore:
			reset(w)
			return true
		case BadGateway:
			writeHTML(w, http.StatusBadGateway, gatewayPage)
			return true
		case HTML:
			writeHTML(w, http.StatusOK, "<!DOCTYPE html><html><head><title>微信</title></head><body>系统繁忙，请稍后再试。</body></html>")
			return true
		}
	}
	return false
}

// pass lets d pass; it reports false when the caller hung up meanwhile.
func pass(r *http.Request, d time.Duration) bool {
	if d == 0 {
		return true
	}
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// after writes the answer, spoiled by what goes wrong after WeChat did its part.
func (l faultList) after(w http.ResponseWriter, r *http.Request, answer object, failed bool) {
	for _, f := range l {
		switch f.Kind {
		case Late:
			if !pass(r, f.Delay) {
				return
			}
		case ResetAfter:
			if pass(r, f.Delay) {
				reset(w)
			}
			return
		case Truncated:
			b := encodeJSON(answer)
			writeJSON(w, b[:len(b)/2])
			return
		}
	}
	for _, f := range l {
		if failed {
			break // an error answer holds nothing to spoil
		}
		switch f.Kind {
		case WrongAppID:
			spoil(answer, func(key string) bool { return key == "authorizer_appid" }, "wx00000000deadbeef")
		case EmptyToken:
			spoil(answer, func(key string) bool { return strings.HasSuffix(key, "_token") || key == "pre_auth_code" }, "")
		case ExpiresIn:
			spoil(answer, func(key string) bool { return key == "expires_in" }, json.RawMessage(f.Value))
		}
	}
	writeJSON(w, encodeJSON(answer))
}

// spoil replaces the value of every matching key, however deep.
func spoil(o object, match func(string) bool, value any) {
	for key, v := range o {
		switch v := v.(type) {
		case object:
			spoil(v, match, value)
		case []object:
			for _, inner := range v {
				spoil(inner, match, value)
			}
		default:
			if match(key) {
				o[key] = value
			}
		}
	}
}

// reset cuts the connection without an answer, by a TCP reset where possible.
func reset(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
		return
	}
	panic(http.ErrAbortHandler)
}

func writeJSON(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json; encoding=utf-8")
	_, _ = w.Write(body)
}

func validJSON(s string) bool { return json.Valid([]byte(s)) }
