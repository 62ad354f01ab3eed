package admin

import (
	"time"

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
