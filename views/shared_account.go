package views

import (
	"context"

	"github.com/a-h/templ"

	"usher/internal/onboard"
)

// What pages of the console say of an account in the same words as the merchants'.

// Avatar is the picture of an account as we keep it, else its first letter.
func Avatar(a onboard.Account) templ.Component { return avatar(&a) }

// Unconfirmed lists the granted sets that wait for the merchant's confirmation.
func Unconfirmed(grants onboard.Grants) []onboard.PermissionID { return unconfirmed(grants) }

// Verification names the state of an account's verification.
func Verification(ctx context.Context, id int) string { return verification(ctx, id) }

// Category joins the two levels of a business category.
func Category(c onboard.Category) string { return category(c) }
