-- What the console shows of received pushes and redirects: their content with its
-- secrets masked, and the indexes by which a list of many is filtered. The one by
-- outcome is written when an event ends, so that an insert does not pay for it.

-- +goose Up

ALTER TABLE arrival ADD COLUMN masked TEXT NOT NULL DEFAULT ''; -- JSON
CREATE INDEX arrival_id ON arrival (platform, id);
CREATE INDEX arrival_type ON arrival (platform, type, id);
CREATE INDEX arrival_appid ON arrival (platform, appid, id) WHERE appid <> '';
CREATE INDEX arrival_outcome ON arrival (platform, outcome, id) WHERE outcome <> '';

-- SQLite takes the youngest of indexes that look equally good, and nobody who looks
-- for what waits or failed may walk through what is handled.
DROP INDEX arrival_parked;
CREATE INDEX arrival_parked ON arrival (platform, id) WHERE outcome = 'parked';
DROP INDEX arrival_waiting;
CREATE UNIQUE INDEX arrival_waiting ON arrival (platform, id) WHERE outcome = '';
