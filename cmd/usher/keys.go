package main

import (
	"errors"
	"sync"

	"usher/internal/admin"
	"usher/internal/config"
	"usher/internal/msgcrypt"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/wechat"
)

// fixedCredentials are those that the environment sets.
func fixedCredentials(cfg config.Config) map[admin.CredentialName]secret.Secret {
	return map[admin.CredentialName]secret.Secret{
		admin.ComponentSecret:   secret.New(cfg.Secret.Reveal()),
		admin.PushToken:         secret.New(cfg.PushToken.Reveal()),
		admin.PreviousPushToken: secret.New(cfg.PreviousPushToken.Reveal()),
		admin.AESKey:            secret.New(cfg.AESKey.Reveal()),
		admin.PreviousAESKey:    secret.New(cfg.PreviousAESKey.Reveal()),
	}
}

// keys opens pushes with the credentials in use, which an owner may change while
// the program runs.
type keys struct {
	appID onboard.AppID
	now   func() admin.Platform

	mu       sync.Mutex
	of       admin.Platform // what receiver was made of
	receiver *wechat.Receiver
}

var errNoKeys = errors.New("the push token and the AES key are not set: enter them in the console or in USHER_PUSH_TOKEN and USHER_AES_KEY")

// current returns a receiver with today's keys.
func (k *keys) current() (*wechat.Receiver, error) {
	p := k.now()
	if p.PushToken.Empty() || p.AESKey.Empty() {
		return nil, errNoKeys
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.receiver != nil && k.of == p {
		return k.receiver, nil
	}
	cipher, err := msgcrypt.New(msgcrypt.Keys{
		AppID: string(k.appID),
		Token: p.PushToken.Reveal(), PreviousToken: p.PreviousToken.Reveal(),
		AESKey: p.AESKey.Reveal(), PreviousAESKey: p.PreviousAESKeyText.Reveal(),
	})
	if err != nil {
		return nil, err
	}
	k.of, k.receiver = p, &wechat.Receiver{Cipher: cipher, AppID: k.appID}
	return k.receiver, nil
}

// openPush verifies and opens a push.
func (k *keys) openPush(rawQuery string, body []byte) (onboard.Push, error) {
	r, err := k.current()
	if err != nil {
		return onboard.Push{}, err
	}
	return r.OpenPush(rawQuery, body)
}

// explain tells what openPush would do with a push and why.
func (k *keys) explain(rawQuery string, body []byte) onboard.Explanation {
	r, err := k.current()
	if err != nil {
		return onboard.Explanation{Steps: []onboard.PushStep{{Check: onboard.CheckKeys, State: onboard.StepRefused}}, Refusal: "keys"}
	}
	return r.Explain(rawQuery, body)
}

// echo answers WeChat's check of an address.
func (k *keys) echo(rawQuery string) (string, error) {
	r, err := k.current()
	if err != nil {
		return "", err
	}
	return r.Echo(rawQuery)
}

// counting tells refused the class of each push that open refuses, and nothing of
// what is in it.
func counting(open func(string, []byte) (onboard.Push, error), refused func(class string)) func(string, []byte) (onboard.Push, error) {
	return func(rawQuery string, body []byte) (onboard.Push, error) {
		p, err := open(rawQuery, body)
		if class, ok := errors.AsType[wechat.Refusal](err); ok {
			refused(string(class))
		} else if errors.Is(err, errNoKeys) {
			refused("keys")
		}
		return p, err
	}
}
