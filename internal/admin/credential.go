package admin

import (
	"context"
	"maps"
	"regexp"
	"time"

	"usher/internal/onboard"
	"usher/internal/secret"
)

// CredentialName names one secret that WeChat's console shares with us.
type CredentialName string

// The credentials of a third-party platform, as its page 开发资料 lists them.
const (
	ComponentSecret   CredentialName = "component_secret"
	PushToken         CredentialName = "push_token"
	PreviousPushToken CredentialName = "push_token_previous"
	AESKey            CredentialName = "aes_key"
	PreviousAESKey    CredentialName = "aes_key_previous"
)

// CredentialNames lists them in the order of the page.
func CredentialNames() []CredentialName {
	return []CredentialName{ComponentSecret, PushToken, PreviousPushToken, AESKey, PreviousAESKey}
}

// Credential is one of them and where it came from.
type Credential struct {
	Value     secret.Secret
	UpdatedAt time.Time
	UpdatedBy string
	// Fixed means that the environment sets it, which wins over what is stored.
	Fixed bool
}

// Platform is what the program needs of the credentials to speak with WeChat.
// Values of it can be compared, to see a change.
type Platform struct {
	Secret                     secret.Secret
	PushToken, PreviousToken   secret.Secret
	AESKey, PreviousAESKeyText secret.Secret
}

// Credentials are the ones in use, with where each came from.
func (s *Service) Credentials() map[CredentialName]Credential {
	all := map[CredentialName]Credential{}
	if stored := s.secrets.Load(); stored != nil {
		maps.Copy(all, *stored)
	}
	for name, value := range s.fixed {
		if !value.Empty() {
			all[name] = Credential{Value: value, Fixed: true}
		}
	}
	return all
}

// Platform are the values in use. The environment wins over what is stored. A
// previous token or key that is stored does not stand beside one of the environment.
func (s *Service) Platform() Platform {
	all := s.Credentials()
	p := Platform{
		Secret: all[ComponentSecret].Value, PushToken: all[PushToken].Value, AESKey: all[AESKey].Value,
		PreviousToken: all[PreviousPushToken].Value, PreviousAESKeyText: all[PreviousAESKey].Value,
	}
	if all[PushToken].Fixed && !all[PreviousPushToken].Fixed {
		p.PreviousToken = secret.Secret{}
	}
	if all[AESKey].Fixed && !all[PreviousAESKey].Fixed {
		p.PreviousAESKeyText = secret.Secret{}
	}
	return p
}

// Fingerprint is a short text by which two people can see that they mean the same
// secret. It is keyed, so it does not help to guess.
func (s *Service) Fingerprint(v secret.Secret) string {
	if v.Empty() {
		return ""
	}
	return s.hasher.Hash(purposeFingerprint, v.Reveal())[:8]
}

// SaveCredential stores one credential, sealed, and it counts at once. A new push
// token or key leaves the one before it valid for pushes that are under way. An
// empty value removes it. One that the environment sets is refused.
func (s *Service) SaveCredential(ctx context.Context, name CredentialName, value secret.Secret) error {
	key, known := credentialShapes[name]
	if !known {
		return onboard.Errorf(onboard.NotFound, onboard.KeyNotFound, "credential %q", name)
	}
	if !s.fixed[name].Empty() {
		return onboard.Errorf(onboard.Invalid, KeyFixed, "the environment sets %s", name)
	}
	if fault := CredentialFault(name, value); fault != "" {
		return onboard.Errorf(onboard.Invalid, fault, "%s of the wrong shape: %v", name, value)
	}
	before := s.Credentials()[name]
	now, by := s.now(), ActorOf(ctx).Admin.Name
	if key.previous != "" && !value.Empty() && !before.Value.Empty() && before.Value != value && s.fixed[key.previous].Empty() {
		if err := s.store.SavePlatformSecret(ctx, key.previous, before.Value, by, now); err != nil {
			return err
		}
	}
	if err := s.store.SavePlatformSecret(ctx, name, value, by, now); err != nil {
		return err
	}
	entry := Entry{Action: "credential.set", Target: string(name), Before: s.Fingerprint(before.Value), After: s.Fingerprint(value)}
	if value.Empty() {
		entry.Action = "credential.remove"
	}
	if err := s.Audit(ctx, entry); err != nil {
		return err
	}
	return s.reloadCredentials(ctx)
}

// CredentialFault says what is wrong with the shape of a value; empty when nothing
// is, or when there is no value.
func CredentialFault(name CredentialName, value secret.Secret) onboard.Key {
	if key := credentialShapes[name]; !value.Empty() && key.shape != nil && !key.shape.MatchString(value.Reveal()) {
		return key.fault
	}
	return ""
}

func (s *Service) reloadCredentials(ctx context.Context) error {
	stored, err := s.store.PlatformSecrets(ctx)
	if err != nil {
		return err
	}
	s.secrets.Store(&stored)
	return nil
}

// credentialShapes says how each looks, as WeChat's page 开发资料 demands, and
// where the one before it goes when it is replaced.
var credentialShapes = map[CredentialName]struct {
	shape    *regexp.Regexp
	fault    onboard.Key
	previous CredentialName
}{
	ComponentSecret:   {regexp.MustCompile(`^[!-~]{16,128}$`), KeySecret, ""},
	PushToken:         {regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`), KeyPush, PreviousPushToken},
	PreviousPushToken: {regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`), KeyPush, ""},
	AESKey:            {regexp.MustCompile(`^[A-Za-z0-9]{43}$`), KeyAES, PreviousAESKey},
	PreviousAESKey:    {regexp.MustCompile(`^[A-Za-z0-9]{43}$`), KeyAES, ""},
}
