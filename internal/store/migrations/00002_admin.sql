-- The console: who may sign in, who is signed in, what was done, and what an
-- owner has set.

-- +goose Up

CREATE TABLE admin (
    platform     TEXT NOT NULL,
    id           TEXT NOT NULL,
    name         TEXT NOT NULL,
    name_key     TEXT NOT NULL, -- the form of the name that is unique
    role         TEXT NOT NULL,
    password     TEXT NOT NULL, -- PHC string; empty until one is chosen
    totp         TEXT NOT NULL, -- sealed; empty for no second factor
    totp_next    TEXT NOT NULL, -- sealed; offered and not confirmed yet
    totp_step    BIGINT NOT NULL,
    recovery     TEXT NOT NULL, -- hashes as JSON
    created_at   BIGINT NOT NULL,
    signed_in_at BIGINT NOT NULL,
    removed_at   BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    PRIMARY KEY (platform, id)
);
CREATE UNIQUE INDEX admin_name ON admin (platform, name_key) WHERE removed_at = 0;

-- Handled events are dropped after a time that an owner sets.
CREATE INDEX arrival_finished ON arrival (platform, finished_at) WHERE finished_at > 0;

CREATE TABLE admin_session (
    platform   TEXT NOT NULL,
    hash       TEXT NOT NULL,
    id         TEXT NOT NULL,
    admin_id   TEXT NOT NULL,
    pending    BOOLEAN NOT NULL, -- the second factor is missing
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL,
    address    TEXT NOT NULL,
    browser    TEXT NOT NULL,
    flash      TEXT NOT NULL,
    PRIMARY KEY (platform, hash)
);
CREATE INDEX admin_session_admin ON admin_session (platform, admin_id);
CREATE INDEX admin_session_end ON admin_session (platform, ends_at);

CREATE TABLE admin_enrollment (
    platform   TEXT NOT NULL,
    hash       TEXT NOT NULL,
    admin_id   TEXT NOT NULL, -- empty for the first owner
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    PRIMARY KEY (platform, hash)
);
CREATE INDEX admin_enrollment_admin ON admin_enrollment (platform, admin_id);

-- Tries to sign in without success, by keyed hash of a name or of a network.
CREATE TABLE sign_in_try (
    platform    TEXT NOT NULL,
    key         TEXT NOT NULL,
    tries       BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,
    delay_until BIGINT NOT NULL,
    PRIMARY KEY (platform, key)
);
CREATE INDEX sign_in_try_last ON sign_in_try (platform, last_at);

-- Networks from which an admin has signed in, by keyed hash of both: they climb a
-- ladder of their own, so that guesses from elsewhere do not keep the admin out.
CREATE TABLE known_network (
    platform TEXT NOT NULL,
    key      TEXT NOT NULL,
    seen_at  BIGINT NOT NULL,
    PRIMARY KEY (platform, key)
);

-- Each row holds the hash of the one before it. The head is written with each
-- row, so that rows removed at the end are noticed; it is also the lock that
-- lets only one change of the chain, or of the owners, happen at a time.
CREATE TABLE audit (
    platform   TEXT NOT NULL,
    seq        BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    actor_id   TEXT NOT NULL,
    actor      TEXT NOT NULL,
    action     TEXT NOT NULL,
    target     TEXT NOT NULL,
    was        TEXT NOT NULL,
    became     TEXT NOT NULL,
    address    TEXT NOT NULL,
    request_id TEXT NOT NULL,
    prev       TEXT NOT NULL,
    hash       TEXT NOT NULL,
    PRIMARY KEY (platform, seq)
);
CREATE INDEX audit_actor ON audit (platform, actor, seq);
CREATE INDEX audit_action ON audit (platform, action, seq);
CREATE INDEX audit_target ON audit (platform, target, seq);
CREATE INDEX audit_at ON audit (platform, at);

CREATE TABLE audit_head (
    platform TEXT NOT NULL,
    seq      BIGINT NOT NULL,
    hash     TEXT NOT NULL,
    PRIMARY KEY (platform)
);

CREATE TABLE console_settings (
    platform   TEXT NOT NULL,
    body       TEXT NOT NULL, -- JSON
    version    BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (platform)
);

CREATE TABLE logo (
    platform TEXT NOT NULL,
    hash     TEXT NOT NULL,
    picture  TEXT NOT NULL, -- PNG in base64
    PRIMARY KEY (platform, hash)
);

CREATE TABLE platform_secret (
    platform   TEXT NOT NULL,
    name       TEXT NOT NULL,
    value      TEXT NOT NULL, -- sealed
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (platform, name)
);
