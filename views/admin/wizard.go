package adminviews

import (
	"context"

	"usher/internal/i18n"
)

// credentialHelp says what a field of the wizard wants, and that it may stay empty.
func credentialHelp(ctx context.Context, c CredentialLine) string {
	help := i18n.T(ctx, i18n.Key("wizard.credential."+string(c.Name)))
	if c.Fingerprint != "" {
		help += " " + i18n.T(ctx, i18n.WizardCredentialKept, "fingerprint", c.Fingerprint)
	}
	return help
}
