package admin

// AccountEvent names something that happened to an account, as it is stored.
type AccountEvent string

// What is noted of an account beside the tables that have their own rows for it.
const (
	AccountAuthorized AccountEvent = "authorized" // detail: the attempt, empty when none of ours
	AccountRevoked    AccountEvent = "revoked"
	AccountRescan     AccountEvent = "rescan" // detail: class and errcode
)
