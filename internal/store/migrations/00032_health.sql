-- What is known about the platform's health.

-- +goose Up

-- How often something happened, by the minute.
CREATE TABLE pulse (
    platform TEXT NOT NULL,
    minute   BIGINT NOT NULL, -- its beginning
    kind     TEXT NOT NULL,
    n        BIGINT NOT NULL,
    last_at  BIGINT NOT NULL,
    PRIMARY KEY (platform, minute, kind)
);

-- What was found out, and when it last was so and last was not.
CREATE TABLE health_check (
    platform  TEXT NOT NULL,
    name      TEXT NOT NULL,
    subject   TEXT NOT NULL, -- what it was found out of, such as a fingerprint
    ok_at     BIGINT NOT NULL,
    failed_at BIGINT NOT NULL,
    since     BIGINT NOT NULL, -- of the first failure after ok_at
    times     BIGINT NOT NULL,
    code      BIGINT NOT NULL,
    what      TEXT NOT NULL,
    rid       TEXT NOT NULL,
    address   TEXT NOT NULL,
    PRIMARY KEY (platform, name)
);

-- When tickets came. An insert of another type does not pay for it.
CREATE INDEX arrival_ticket ON arrival (platform, received_at) WHERE type = 'component_verify_ticket';
