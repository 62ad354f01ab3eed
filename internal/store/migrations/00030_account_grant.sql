-- The sets of one account. Without it SQLite takes account_grant_set, which holds
-- every column, and reads the sets of all accounts whenever one of them changes.

-- +goose Up

CREATE INDEX account_grant_account ON account_grant (platform, appid, permission, missing);
