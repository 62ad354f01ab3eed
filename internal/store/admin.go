package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"usher/internal/admin"
	"usher/internal/onboard"
)

var _ admin.Store = (*Store)(nil)

const adminColumns = `admin.id, admin.name, admin.role, admin.password, admin.totp, admin.totp_next, admin.totp_step, admin.recovery,
	admin.created_at, admin.signed_in_at, admin.removed_at, admin.version`

// sealedAdmin is a row of admin whose second factor is not opened yet.
type sealedAdmin struct {
	admin.Admin
	totp, next string
}

func (a *sealedAdmin) fields() []any {
	return []any{&a.ID, &a.Name, &a.Role, &a.Password, &a.totp, &a.next, &a.TOTPStep, jsonOf[[]string]{&a.Recovery},
		msTime{&a.CreatedAt}, msTime{&a.SignedInAt}, msTime{&a.RemovedAt}, &a.Version}
}

func scanAdmin(r *sql.Rows) (a sealedAdmin, err error) { return a, r.Scan(a.fields()...) }

func (s *Store) openAdmin(a sealedAdmin, err error) (admin.Admin, error) {
	if err != nil {
		return admin.Admin{}, err
	}
	if a.TOTP, err = s.open("admin", "totp", s.row(a.ID), a.totp); err != nil {
		return admin.Admin{}, err
	}
	a.NextTOTP, err = s.open("admin", "totp_next", s.row(a.ID), a.next)
	return a.Admin, err
}

// Admins implements [admin.Store].
func (s *Store) Admins(ctx context.Context) ([]admin.Admin, error) {
	rows, err := many(ctx, s.engine.read, scanAdmin, `SELECT `+adminColumns+` FROM admin
		WHERE platform = $1 AND removed_at = 0 ORDER BY name_key`, s.platform)
	var all []admin.Admin
	for _, row := range rows {
		a, err := s.openAdmin(row, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, err
}

// AdminByID implements [admin.Store].
func (s *Store) AdminByID(ctx context.Context, id string) (admin.Admin, error) {
	return s.adminWhere(ctx, s.engine.read, `admin.id = $2`, id)
}

// AdminByKey implements [admin.Store].
func (s *Store) AdminByKey(ctx context.Context, key string) (admin.Admin, error) {
	return s.adminWhere(ctx, s.engine.read, `admin.name_key = $2`, key)
}

func (s *Store) adminWhere(ctx context.Context, q querier, condition, value string) (admin.Admin, error) {
	return s.openAdmin(one(ctx, q, scanAdmin, `SELECT `+adminColumns+` FROM admin
		WHERE platform = $1 AND removed_at = 0 AND `+condition, s.platform, value))
}

// CreateAdmin implements [admin.Store].
func (s *Store) CreateAdmin(ctx context.Context, a admin.Admin) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) { return s.insertAdmin(ctx, q, a) })
	return err
}

func (s *Store) insertAdmin(ctx context.Context, q querier, a admin.Admin) (int64, error) {
	n, err := exec(ctx, q, `INSERT INTO admin (platform, id, name, name_key, role, password, totp, totp_next, totp_step, recovery, created_at, signed_in_at, removed_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13) ON CONFLICT (platform, name_key) WHERE removed_at = 0 DO NOTHING`,
		s.platform, a.ID, a.Name, admin.NameKey(a.Name), string(a.Role), a.Password, s.ring.Seal("admin", "totp", s.row(a.ID), a.TOTP),
		s.ring.Seal("admin", "totp_next", s.row(a.ID), a.NextTOTP), a.TOTPStep, toJSON(a.Recovery), ms(a.CreatedAt), ms(a.SignedInAt), a.Version)
	if err == nil && n == 0 {
		err = admin.ErrTaken
	}
	return n, err
}

// lockConsole lets one change of the owners or of the audit happen at a time, and
// makes the head of the audit when there is none.
func (s *Store) lockConsole(ctx context.Context, q querier) error {
	if _, err := exec(ctx, q, `INSERT INTO audit_head (platform, seq, hash) VALUES ($1, 0, '') ON CONFLICT (platform) DO NOTHING`, s.platform); err != nil {
		return err
	}
	_, err := exec(ctx, q, `UPDATE audit_head SET seq = seq WHERE platform = $1`, s.platform)
	return err
}

// SaveAdmin implements [admin.Store].
func (s *Store) SaveAdmin(ctx context.Context, a admin.Admin) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		if err := s.lockConsole(ctx, q); err != nil {
			return 0, err
		}
		before, err := s.owners(ctx, q)
		if err != nil {
			return 0, err
		}
		n, err := exec(ctx, q, `UPDATE admin SET name = $4, name_key = $5, role = $6, password = $7, totp = $8, totp_step = $9,
				recovery = $10, removed_at = $11, totp_next = $12, version = version + 1
			WHERE platform = $1 AND id = $2 AND version = $3 AND removed_at = 0`,
			s.platform, a.ID, a.Version, a.Name, admin.NameKey(a.Name), string(a.Role), a.Password,
			s.ring.Seal("admin", "totp", s.row(a.ID), a.TOTP), a.TOTPStep, toJSON(a.Recovery), ms(a.RemovedAt),
			s.ring.Seal("admin", "totp_next", s.row(a.ID), a.NextTOTP))
		if err != nil {
			return n, err
		}
		if n == 0 {
			return n, errStale
		}
		after, err := s.owners(ctx, q)
		if err != nil {
			return n, err
		}
		if before > 0 && after == 0 {
			return n, admin.ErrLastOwner // undone: the write failed
		}
		if a.RemovedAt.IsZero() {
			return n, nil
		}
		if _, err := exec(ctx, q, `DELETE FROM admin_session WHERE platform = $1 AND admin_id = $2`, s.platform, a.ID); err != nil {
			return n, err
		}
		return exec(ctx, q, `DELETE FROM admin_enrollment WHERE platform = $1 AND admin_id = $2`, s.platform, a.ID)
	})
	return fencedIfStale(err)
}

// owners counts those who can sign in and manage admins.
func (s *Store) owners(ctx context.Context, q querier) (int64, error) {
	return one(ctx, q, scanInt, `SELECT COUNT(*) FROM admin WHERE platform = $1 AND role = 'owner' AND removed_at = 0 AND password <> ''`, s.platform)
}

// SaveSignedIn implements [admin.Store].
func (s *Store) SaveSignedIn(ctx context.Context, id string, now time.Time) error {
	_, err := write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		return exec(ctx, q, `UPDATE admin SET signed_in_at = $3 WHERE platform = $1 AND id = $2`, s.platform, id, ms(now))
	})
	return err
}

// ClaimTOTPStep implements [admin.Store].
func (s *Store) ClaimTOTPStep(ctx context.Context, id string, step int64) (bool, error) {
	return write(ctx, s, func(ctx context.Context, q querier) (bool, error) {
		n, err := exec(ctx, q, `UPDATE admin SET totp_step = $3 WHERE platform = $1 AND id = $2 AND totp_step < $3 AND removed_at = 0`, s.platform, id, step)
		return n == 1, err
	})
}

// ClaimRecovery implements [admin.Store].
func (s *Store) ClaimRecovery(ctx context.Context, id, hash string) (bool, error) {
	return write(ctx, s, func(ctx context.Context, q querier) (bool, error) {
		if err := s.lockConsole(ctx, q); err != nil {
			return false, err
		}
		a, err := s.adminWhere(ctx, q, `admin.id = $2`, id)
		if err != nil {
			return false, err
		}
		i := slices.Index(a.Recovery, hash)
		if i < 0 {
			return false, nil
		}
		_, err = exec(ctx, q, `UPDATE admin SET recovery = $3 WHERE platform = $1 AND id = $2`, s.platform, id, toJSON(slices.Delete(a.Recovery, i, i+1)))
		return err == nil, err
	})
}

// settingsBody is what of the settings is stored as JSON.
type settingsBody struct {
	Brand         string                 `json:"brand"`
	Contact       string                 `json:"contact"`
	Logo          string                 `json:"logo"`
	InviteOnly    bool                   `json:"invite_only"`
	DeskSeconds   int64                  `json:"desk_seconds"`
	InviteSeconds int64                  `json:"invite_seconds"`
	Wanted        []onboard.PermissionID `json:"wanted"`
	Language      string                 `json:"language"`
	EventDays     int                    `json:"event_days"`
	ReturnHosts   []string               `json:"return_hosts"`
	TrustInvites  bool                   `json:"trust_invites"`
}

func scanSettings(r *sql.Rows) (c admin.Settings, err error) {
	var b settingsBody
	err = r.Scan(jsonOf[settingsBody]{&b}, &c.Version, msTime{&c.UpdatedAt}, &c.UpdatedBy)
	c.Brand, c.Contact, c.Logo, c.InviteOnly = b.Brand, b.Contact, b.Logo, b.InviteOnly
	c.DeskLife, c.InviteLife = time.Duration(b.DeskSeconds)*time.Second, time.Duration(b.InviteSeconds)*time.Second
	c.Wanted, c.Language, c.EventDays, c.ReturnHosts = b.Wanted, b.Language, b.EventDays, b.ReturnHosts
	c.TrustInvites = b.TrustInvites
	return c, err
}

// Settings implements [admin.Store].
func (s *Store) Settings(ctx context.Context) (admin.Settings, error) {
	return one(ctx, s.engine.read, scanSettings, `SELECT body, version, updated_at, updated_by FROM console_settings WHERE platform = $1`, s.platform)
}

// SaveSettings implements [admin.Store].
func (s *Store) SaveSettings(ctx context.Context, c admin.Settings) error {
	body, err := json.Marshal(settingsBody{c.Brand, c.Contact, c.Logo, c.InviteOnly, int64(c.DeskLife / time.Second), int64(c.InviteLife / time.Second),
		c.Wanted, c.Language, c.EventDays, c.ReturnHosts, c.TrustInvites})
	if err != nil {
		return err
	}
	_, err = write(ctx, s, func(ctx context.Context, q querier) (int64, error) {
		if c.Version == 0 {
			n, err := exec(ctx, q, `INSERT INTO console_settings (platform, body, version, updated_at, updated_by) VALUES ($1, $2, 1, $3, $4)
				ON CONFLICT (platform) DO NOTHING`, s.platform, string(body), ms(c.UpdatedAt), c.UpdatedBy)
			if err == nil && n == 0 {
				err = onboard.ErrFenced
			}
			return n, err
		}
		n, err := exec(ctx, q, `UPDATE console_settings SET body = $3, version = version + 1, updated_at = $4, updated_by = $5
			WHERE platform = $1 AND version = $2`, s.platform, c.Version, string(body), ms(c.UpdatedAt), c.UpdatedBy)
		if err == nil && n == 0 {
			err = onboard.ErrFenced
		}
		return n, err
	})
	return err
}
