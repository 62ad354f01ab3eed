-- The first schema. It is written for SQLite and PostgreSQL alike: TEXT, BIGINT
-- and BOOLEAN only, times in milliseconds since 1970 with 0 for none, lists and
-- profiles as JSON in TEXT, secrets sealed. Every table begins with the AppID of
-- the platform, so that several platforms can share one database.

-- +goose Up

CREATE TABLE setting (
    platform TEXT NOT NULL,
    name     TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (platform, name)
);

CREATE TABLE attempt (
    platform      TEXT NOT NULL,
    id            TEXT NOT NULL,
    phone_code    TEXT NOT NULL,
    invite_code   TEXT NOT NULL,
    recipient     TEXT NOT NULL,
    auth_type     BIGINT NOT NULL,
    biz_appid     TEXT NOT NULL,
    wanted        TEXT NOT NULL,
    language      TEXT NOT NULL,
    session       TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    opened_at     BIGINT NOT NULL,
    handed_off_at BIGINT NOT NULL,
    code_ends_at  BIGINT NOT NULL,
    arrived_at    BIGINT NOT NULL,
    finished_at   BIGINT NOT NULL,
    verdict       TEXT NOT NULL,
    appid         TEXT NOT NULL,
    missing       TEXT NOT NULL,
    added         TEXT NOT NULL,
    removed       TEXT NOT NULL,
    blocked       TEXT NOT NULL,
    blocked_at    BIGINT NOT NULL,
    revoked_at    BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    PRIMARY KEY (platform, id)
);
CREATE UNIQUE INDEX attempt_phone_code ON attempt (platform, phone_code);
CREATE UNIQUE INDEX attempt_invite_code ON attempt (platform, invite_code) WHERE invite_code <> '';
CREATE INDEX attempt_session ON attempt (platform, session, created_at) WHERE session <> '';
CREATE INDEX attempt_appid ON attempt (platform, appid) WHERE appid <> '';
CREATE INDEX attempt_blocked ON attempt (platform, blocked) WHERE blocked <> '';

CREATE TABLE handoff (
    platform   TEXT NOT NULL,
    id         TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    channel    TEXT NOT NULL,
    code_hash  TEXT NOT NULL,
    state_hash TEXT NOT NULL,
    session    TEXT NOT NULL,
    minted_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (platform, id),
    FOREIGN KEY (platform, attempt_id) REFERENCES attempt (platform, id)
);
CREATE UNIQUE INDEX handoff_code_hash ON handoff (platform, code_hash);
CREATE UNIQUE INDEX handoff_state_hash ON handoff (platform, state_hash) WHERE state_hash <> '';
CREATE INDEX handoff_attempt ON handoff (platform, attempt_id, minted_at, id);

CREATE TABLE arrival (
    platform    TEXT NOT NULL,
    id          BIGINT NOT NULL,
    digest      TEXT NOT NULL,
    type        TEXT NOT NULL,
    appid       TEXT NOT NULL,
    code_hash   TEXT NOT NULL,
    handoff_id  TEXT NOT NULL,
    attempt_id  TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    payload     TEXT NOT NULL,
    tries       BIGINT NOT NULL,
    fence       BIGINT NOT NULL,
    due_at      BIGINT NOT NULL, -- while a claim is held: the end of its lease
    outcome     TEXT NOT NULL,
    reason      TEXT NOT NULL,
    finished_at BIGINT NOT NULL,
    PRIMARY KEY (platform, digest)
);
-- The id orders and names an arrival only while it waits, and an insert pays for
-- every index.
CREATE UNIQUE INDEX arrival_waiting ON arrival (platform, id) WHERE outcome = '';
CREATE INDEX arrival_code ON arrival (platform, code_hash, id) WHERE code_hash <> '';
CREATE INDEX arrival_parked ON arrival (platform, id) WHERE outcome = 'parked';

CREATE TABLE exchange (
    platform    TEXT NOT NULL,
    code_hash   TEXT NOT NULL,
    handoff_id  TEXT NOT NULL,
    state       TEXT NOT NULL, -- open, done, failed
    fence       BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    tries       BIGINT NOT NULL,
    appid       TEXT NOT NULL,
    attempt_id  TEXT NOT NULL, -- the attempt it finished
    finished_at BIGINT NOT NULL,
    PRIMARY KEY (platform, code_hash)
);
CREATE INDEX exchange_handoff ON exchange (platform, handoff_id) WHERE handoff_id <> '';

CREATE TABLE account (
    platform          TEXT NOT NULL,
    appid             TEXT NOT NULL,
    standing          TEXT NOT NULL,
    profile           TEXT NOT NULL,
    profile_at        BIGINT NOT NULL,
    profile_tried_at  BIGINT NOT NULL,
    grants            TEXT NOT NULL,
    wanted            TEXT NOT NULL,
    authorized_at     BIGINT NOT NULL,
    local_time        BOOLEAN NOT NULL,
    revoked_at        BIGINT NOT NULL,
    no_api            BOOLEAN NOT NULL,
    access_token      TEXT NOT NULL,
    access_expires_at BIGINT NOT NULL,
    refresh_token     TEXT NOT NULL,
    previous_refresh  TEXT NOT NULL,
    refresh_hash      TEXT NOT NULL, -- keyed hash, to see whether a refresh token is another one
    refreshed_at      BIGINT NOT NULL,
    failures          BIGINT NOT NULL,
    last_error        TEXT NOT NULL,
    due_at            BIGINT NOT NULL, -- 0: never refreshed (revoked, to be scanned again, no API)
    lease_until       BIGINT NOT NULL,
    fence             BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    PRIMARY KEY (platform, appid)
);
CREATE INDEX account_due ON account (platform, due_at) WHERE due_at > 0;
CREATE INDEX account_standing ON account (platform, standing);
CREATE INDEX account_unprofiled ON account (platform, profile_tried_at) WHERE profile_at = 0;

CREATE TABLE grant_change (
    platform TEXT NOT NULL,
    appid    TEXT NOT NULL,
    id       BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    added    TEXT NOT NULL,
    removed  TEXT NOT NULL,
    PRIMARY KEY (platform, appid, id)
);

CREATE TABLE ticket (
    platform    TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    value       TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (platform, created_at)
);

CREATE TABLE platform_token (
    platform    TEXT NOT NULL,
    value       TEXT NOT NULL,
    fetched_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    fence       BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    PRIMARY KEY (platform)
);

CREATE TABLE dashboard_link (
    platform   TEXT NOT NULL,
    hash       TEXT NOT NULL,
    token      TEXT NOT NULL,
    appid      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL,
    PRIMARY KEY (platform, hash)
);
CREATE UNIQUE INDEX dashboard_link_live ON dashboard_link (platform, appid) WHERE revoked_at = 0;
