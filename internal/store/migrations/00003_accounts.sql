-- The console's accounts and invites: what the list sorts, searches and filters
-- by, kept beside each account by every write that changes it; notes and tags;
-- what happened to an account; the details of an invite.

-- +goose Up

ALTER TABLE account ADD COLUMN stopped_at BIGINT NOT NULL DEFAULT 0;
DROP INDEX account_due;
CREATE INDEX account_due ON account (platform, due_at) WHERE due_at > 0 AND stopped_at = 0;

ALTER TABLE attempt ADD COLUMN reference TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN return_url TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN invited_by TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN batch TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN hold BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE attempt ADD COLUMN canceled_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX attempt_invites ON attempt (platform, created_at, id) WHERE invite_code <> '';
CREATE INDEX attempt_batch ON attempt (platform, batch, created_at, id) WHERE batch <> '';
CREATE INDEX attempt_biz_appid ON attempt (platform, biz_appid) WHERE biz_appid <> '';

CREATE TABLE account_list (
    platform    TEXT NOT NULL,
    appid       TEXT NOT NULL,
    form        BIGINT NOT NULL, -- which version of the program's rules made the row
    name        TEXT NOT NULL,
    name_key    TEXT NOT NULL,
    original_id TEXT NOT NULL,
    principal   TEXT NOT NULL,
    kind        TEXT NOT NULL,
    status      BIGINT NOT NULL,
    granted     BIGINT NOT NULL,
    asked       BIGINT NOT NULL, -- 0: nothing in particular
    missing     BIGINT NOT NULL,
    lacks       TEXT NOT NULL, -- the missing sets
    tags        TEXT NOT NULL,
    token_until BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    hidden      BOOLEAN NOT NULL,
    search      TEXT NOT NULL, -- everything that can be searched for, one field a line
    refreshes   TEXT NOT NULL, -- what refreshing did in the last day
    PRIMARY KEY (platform, appid)
);
CREATE INDEX account_list_name ON account_list (platform, name_key, appid);
CREATE INDEX account_list_kind ON account_list (platform, kind, appid);
CREATE INDEX account_list_status ON account_list (platform, status, appid);
CREATE INDEX account_list_missing ON account_list (platform, missing, appid);
CREATE INDEX account_list_token ON account_list (platform, token_until, appid);
CREATE INDEX account_list_changed ON account_list (platform, changed_at, appid);
CREATE INDEX account_list_hidden ON account_list (platform, appid) WHERE hidden = TRUE;
CREATE INDEX account_list_count ON account_list (platform, status, kind, hidden);

-- One row for each account and each set it granted or was asked for.
CREATE TABLE account_grant (
    platform   TEXT NOT NULL,
    appid      TEXT NOT NULL,
    permission BIGINT NOT NULL,
    missing    BOOLEAN NOT NULL,
    PRIMARY KEY (platform, appid, permission)
);
CREATE INDEX account_grant_set ON account_grant (platform, permission, missing, appid);

-- Which accounts have a piece of text. A term is a number made of the platform
-- and the piece; a look-up is checked against account_list.search.
CREATE TABLE account_term (
    term  BIGINT NOT NULL,
    appid TEXT NOT NULL,
    PRIMARY KEY (term, appid)
);

CREATE TABLE account_tag (
    platform TEXT NOT NULL,
    appid    TEXT NOT NULL,
    tag      TEXT NOT NULL,
    at       BIGINT NOT NULL,
    author   TEXT NOT NULL,
    PRIMARY KEY (platform, appid, tag)
);
CREATE INDEX account_tag_tag ON account_tag (platform, tag, appid);

CREATE TABLE account_note (
    platform TEXT NOT NULL,
    appid    TEXT NOT NULL,
    id       BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    author   TEXT NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (platform, appid, id)
);

CREATE TABLE account_event (
    platform TEXT NOT NULL,
    appid    TEXT NOT NULL,
    id       BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    kind     TEXT NOT NULL, -- authorized, revoked, rescan
    detail   TEXT NOT NULL,
    PRIMARY KEY (platform, appid, id)
);
