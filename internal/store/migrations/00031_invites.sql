-- What the console lists and counts invites by, whatever else there are.

-- +goose Up

CREATE INDEX attempt_invites_open ON attempt (platform, created_at, id) WHERE invite_code <> '' AND finished_at = 0 AND canceled_at = 0;
CREATE INDEX attempt_invites_done ON attempt (platform, created_at, id) WHERE invite_code <> '' AND finished_at > 0;
CREATE INDEX attempt_invites_canceled ON attempt (platform, created_at, id) WHERE invite_code <> '' AND finished_at = 0 AND canceled_at > 0;
CREATE INDEX attempt_invites_end ON attempt (platform, expires_at) WHERE invite_code <> '' AND finished_at = 0 AND canceled_at = 0;
