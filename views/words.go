package views

import (
	"context"

	"usher/internal/onboard"
)

// The words that the console's pages share with the merchants' pages.

// SetName names a permission set.
func SetName(ctx context.Context, id onboard.PermissionID) string { return setName(ctx, id) }

// SetSentence names permission sets within a sentence.
func SetSentence(ctx context.Context, ids []onboard.PermissionID) string { return setNames(ctx, ids) }

// Exclusive reports whether one provider alone can hold a set.
func Exclusive(id onboard.PermissionID) bool { return exclusive(id) }

// KindWord names what kind of account one is.
func KindWord(ctx context.Context, k onboard.AccountKind) string { return kindWord(ctx, k) }

// TypeWord names the accounts that a type lists.
func TypeWord(ctx context.Context, t onboard.AuthType) string { return typeWord(ctx, t) }

// AskedWord names what an attempt asks for; known is the account it names, or nil.
func AskedWord(ctx context.Context, a onboard.Attempt, known *onboard.Account) string {
	return askedWord(ctx, a, known)
}

// AccountName is what an account is called: its nickname, else its AppID.
func AccountName(a onboard.Account) string { return accountName(a) }

// BlockedReason says in words why an attempt cannot go on.
func BlockedReason(ctx context.Context, key onboard.Key) (title, text string) {
	return blocked(ctx, key)
}
