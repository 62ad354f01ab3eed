package views

import (
	"context"

	"github.com/a-h/templ"

	"usher/internal/onboard"
)

// What pages of the console say of an account in the same words as the merchants'.

// Avatar is the picture of an account as we keep it, else its first letter.
func Avatar(a onboard.Account) templ.Component { return avatar(&a) }

// KindWord names what kind of account there is.
func KindWord(ctx context.Context, k onboard.AccountKind) string { return kindWord(ctx, k) }

// SetName names a permission set; one that no catalog knows by its number.
func SetName(ctx context.Context, id onboard.PermissionID) string { return setName(ctx, id) }

// QuoteSets lists permission sets within a sentence.
func QuoteSets(ctx context.Context, ids []onboard.PermissionID) string { return setNames(ctx, ids) }

// IsExclusive reports whether only one platform can hold a set for an account.
func IsExclusive(id onboard.PermissionID) bool { return exclusive(id) }

// Unconfirmed lists the granted sets that wait for the merchant's confirmation.
func Unconfirmed(grants onboard.Grants) []onboard.PermissionID { return unconfirmed(grants) }

// Verification names the state of an account's verification.
func Verification(ctx context.Context, id int) string { return verification(ctx, id) }

// Category joins the two levels of a business category.
func Category(c onboard.Category) string { return category(c) }
