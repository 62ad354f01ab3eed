-- The refresh tokens that others have replaced, until one of the others has
-- worked. They are sealed as those of account are.

-- +goose Up

CREATE TABLE kept_token (
    platform    TEXT NOT NULL,
    appid       TEXT NOT NULL,
    id          BIGINT NOT NULL,
    refresh     TEXT NOT NULL,
    replaced_at BIGINT NOT NULL,
    PRIMARY KEY (platform, appid, id)
);
INSERT INTO kept_token (platform, appid, id, refresh, replaced_at)
    SELECT platform, appid, 1, previous_refresh, updated_at FROM account WHERE previous_refresh <> '';
ALTER TABLE account DROP COLUMN previous_refresh;
