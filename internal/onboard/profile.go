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
	err := s.withPlatformToken(ctx, func(token secret.Secret) (err error) {
		p, _, _, err = s.wechat.Profile(ctx, token, appID)
		return err
	})
	if err != nil {
		return err
	}
	failpoint.Hit("profile.after_http")
	err = s.store.SaveProfile(ctx, appID, p, s.now())
	failpoint.Hit("profile.after_save")
	return err
}
