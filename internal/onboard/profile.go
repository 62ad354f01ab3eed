package onboard

import (
	"context"
	"time"

	"usher/internal/failpoint"
	"usher/internal/rescue"
	"usher/internal/secret"
)

const (
	profileBatch    = 20
	profileTryAgain = time.Minute
)

// ReadProfiles reads the profiles that are missing. A failure never undoes an
// authorization: the account works without a profile.
func (s *Service) ReadProfiles(ctx context.Context) error {
	now := s.now()
	ids, err := s.store.ClaimUnprofiled(ctx, now, now.Add(-profileTryAgain), profileBatch)
	if err != nil {
		return err
	}
	failpoint.Hit("profile.after_claim")
	for _, id := range ids {
		if err := rescue.Do(func() error { return s.readProfile(ctx, id) }); err != nil {
			s.log.WarnContext(ctx, "reading a profile failed; it is tried again", append(rescue.Attrs(err), "appid", string(id))...)
			if platformWide(err) {
				return nil // the others would fail alike
			}
		}
	}
	return nil
}

// readProfile asks WeChat who an account is. Its grants are left alone: what an
// exchange or a push said is newer than what this call may have cached.
func (s *Service) readProfile(ctx context.Context, appID AppID) error {
	var p Profile
	var refresh secret.Secret
	err := s.withPlatformToken(ctx, func(token secret.Secret) (err error) {
		p, _, refresh, err = s.wechat.Profile(ctx, token, appID)
		return err
	})
	if err != nil {
		return err
	}
	failpoint.Hit("profile.after_http")
	err = s.store.SaveProfile(ctx, appID, p, s.now())
	failpoint.Hit("profile.after_save")
	if err == nil && !refresh.Empty() {
		s.tokensAfterAll(ctx, appID, refresh)
	}
	return err
}

// tokensAfterAll restores an account that has no tokens although its details tell
// one: the answer to the exchange lacked them, as that of an account without API
// permission does. When it fails, the next sweep does it.
func (s *Service) tokensAfterAll(ctx context.Context, appID AppID, refresh secret.Secret) {
	held, err := s.store.Account(ctx, appID)
	if err == nil && held.NoAPI && (held.Standing == Active || held.Standing == Quarantined) {
		_, err = s.restore(ctx, Authorizer{AppID: appID, Refresh: refresh})
		s.tokens.drop(appID)
	}
	if err != nil {
		s.log.WarnContext(ctx, "the tokens of an account that came without could not be fetched", "appid", string(appID), "err", err)
	}
}
