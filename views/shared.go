package views

import (
	"context"
	"time"

	"github.com/a-h/templ"

	"usher/internal/onboard"
)

// The elements that the console's pages share with the merchants' pages.

// Mark is the operator's picture, or the sign of the product.
func Mark(b Brand) templ.Component { return mark(b) }

// Icon draws one of our line icons: copy, ok, warn, bad, off, else info.
func Icon(name, class string) templ.Component { return icon(name, class) }

// Moment shows a time for people and machines.
func Moment(t, now time.Time) templ.Component { return moment(t, now) }

// Pill shows a state by shape, word and color; class is ok, wait, warn, bad or off.
func Pill(class, text string) templ.Component { return pill(class, text) }

// Note is a box that asks for attention, with children; class as for Icon.
func Note(class, title string) templ.Component { return note(class, title) }

// CopyField shows an address to copy.
func CopyField(id, address, label string) templ.Component { return copyField(id, address, label) }

// CopyButton copies the field with the given id; without script it is not seen.
func CopyButton(field, class, label string) templ.Component { return copyButton(field, class, label) }

// Post is a form of one button.
func Post(action, class, label string) templ.Component { return post(action, class, label) }

// QR shows the code of address, whose picture is at src.
func QR(src, address string) templ.Component { return qr(src, address) }

// Live tells the reader how the page keeps up.
func Live() templ.Component { return live() }

// LangLink leads to the present page in the other language.
func LangLink(p Page) templ.Component { return langLink(p) }

// FullName is the name that merchants know the operator by.
func (b Brand) FullName() string { return b.name() }

// FullTitle is the title of a page as the browser's tab shows it.
func FullTitle(ctx context.Context, p Page, title string, faulty bool) string {
	return frame{Page: p, title: title, error: faulty}.fullTitle(ctx)
}

// SetNames names the permission sets whose numbers are in a text; none when the
// text is not a list of numbers.
func SetNames(ctx context.Context, text string) []string {
	ids, err := onboard.ParsePermissionIDs(text)
	if err != nil {
		return nil
	}
	var names []string
	for _, id := range ids {
		names = append(names, setName(ctx, id))
	}
	return names
}

// Radio is one choice of a group, with help below its label.
func Radio(name, value, id, label, help string, checked bool) templ.Component {
	return radio(option{name: name, value: value, id: id, label: label, help: help, checked: checked})
}

// TextField is a text field; problem, when not empty, says what is wrong with it.
func TextField(name, label, help, value, problem string) templ.Component {
	return textField(input{name: name, label: label, help: help, value: value, problem: problem})
}

// ErrorSummary lists what to correct above a form, each with a link to its field.
func ErrorSummary(errors []FieldError) templ.Component { return errorSummary(errors) }

// Steps are the four steps of an attempt, as far as it is at now.
func Steps(a onboard.Attempt, now time.Time) templ.Component {
	return attemptTrack(AttemptPage{Page: Page{Now: now}, Attempt: a})
}

// Account shows who an account is.
func Account(a onboard.Account) templ.Component { return account(a) }

// SetList lists permission sets by name, with what each means for the merchant.
func SetList(ids []onboard.PermissionID) templ.Component { return setList(setRows(ids), len(ids)) }

// DeskFrame is the frame of a page for a computer, with children that bring the main
// element. sheet is loaded beside the ordinary one when it is not empty.
func DeskFrame(p Page, title, sheet string) templ.Component {
	return desk(frame{Page: p, title: title, sheet: sheet})
}

// PhoneFrame is the frame of a page inside WeChat, with children as for DeskFrame.
func PhoneFrame(p Page, title string) templ.Component { return phone(frame{Page: p, title: title}) }
