-- The head images of accounts, as we drew them; who was invited; and which browser
-- was handed off, to find the accounts that it connected.

-- +goose Up

CREATE TABLE head_image (
    platform TEXT NOT NULL,
    hash     TEXT NOT NULL, -- of the picture
    picture  TEXT NOT NULL, -- PNG in base64
    PRIMARY KEY (platform, hash)
);

ALTER TABLE account ADD COLUMN picture TEXT NOT NULL DEFAULT ''; -- hash in head_image
ALTER TABLE account ADD COLUMN picture_source TEXT NOT NULL DEFAULT ''; -- what WeChat says
ALTER TABLE account ADD COLUMN picture_done TEXT NOT NULL DEFAULT ''; -- the source that was fetched or refused
ALTER TABLE account ADD COLUMN picture_tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN picture_tried_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX account_picture ON account (platform, picture_tried_at) WHERE picture_source <> picture_done;

ALTER TABLE attempt ADD COLUMN invited BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX handoff_session ON handoff (platform, session) WHERE session <> '';
