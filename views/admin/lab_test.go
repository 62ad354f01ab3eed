package adminviews_test

import (
	"strings"
	"testing"

	"usher/internal/i18n"
	"usher/internal/onboard"
	adminviews "usher/views/admin"
)

// TestLab_HasWords: every check and every class of refusal has a sentence.
func TestLab_HasWords(t *testing.T) {
	for _, check := range []onboard.PushCheck{
		onboard.CheckBody, onboard.CheckKeys, onboard.CheckQuery, onboard.CheckTimestamp, onboard.CheckNonce, onboard.CheckEncryptType, onboard.CheckShape,
		onboard.CheckEnvelope, onboard.CheckOuterAppID, onboard.CheckURLSignature, onboard.CheckSignature, onboard.CheckBase64, onboard.CheckLength,
		onboard.CheckPadding, onboard.CheckSize, onboard.CheckSuffix, onboard.CheckContent, onboard.CheckInnerAppID, onboard.CheckWindow,
	} {
		if !i18n.Has(i18n.Key("lab.check." + string(check))) {
			t.Errorf("the check %q has no words", check)
		}
	}
	for _, refusal := range []string{"size", "keys", "shape", "envelope", "appid", "signature", "decrypt", "content", "time"} {
		page := adminviews.Lab(adminviews.LabPage{Explained: &onboard.Explanation{Refusal: refusal}})
		var b strings.Builder
		if err := page.Render(i18n.With(t.Context(), i18n.English), &b); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "lab.cause") {
			t.Errorf("the refusal %q has no words", refusal)
		}
	}
}
