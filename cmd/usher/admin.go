package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"

	"usher/internal/admin"
	"usher/internal/onboard"
	"usher/internal/secret"
	"usher/internal/store"
	adminviews "usher/views/admin"
)

const adminAbout = `Makes an admin of the console, or a new way in for one who forgot the password.
The person opens the printed link, which works once and for 15 minutes.

  usher admin create NAME [--role viewer|operator|owner]
  usher admin reset  NAME

The settings are those of usher serve.
`

// adminCommand makes admins from the shell, for whoever has the database and its key.
func adminCommand(ctx context.Context, args []string, t terminal) error {
	var verb, name string
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	if asksHelp([]string{verb}) {
		fmt.Fprint(t.out, "Usage: usher admin create|reset NAME [FLAGS]\n\n", adminAbout)
		return flag.ErrHelp
	}
	if verb != "create" && verb != "reset" {
		return usageError{fmt.Sprintf("admin %q is not create or reset", verb)}
	}
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	role := admin.Owner
	if len(args) >= 2 && args[0] == "--role" {
		role, args = admin.Role(args[1]), args[2:]
	}
	if name == "" || name[0] == '-' {
		return usageError{"a name is missing"}
	}
	if _, err := admin.ParseRole(string(role)); err != nil {
		return usageError{fmt.Sprintf("--role %q is not viewer, operator or owner", role)}
	}
	cfg, options, err := databaseOptions(args, t.environ, "USHER_PUBLIC_URL")
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, options)
	if errors.Is(err, store.ErrLocked) {
		db, err = store.OpenBeside(ctx, options) // the site is running
	}
	if err != nil {
		return fmt.Errorf("open database %s: %w", cfg.Database, err)
	}
	console := admin.NewService(admin.Options{Store: db, Hasher: db.Hasher()})
	err = offerWayIn(admin.With(ctx, admin.Actor{Admin: admin.Admin{Name: "usher admin"}}), console, verb, name, role, cfg.PublicURL, t.out)
	return errors.Join(err, db.Close())
}

func offerWayIn(ctx context.Context, console *admin.Service, verb, name string, role admin.Role, publicURL string, out io.Writer) error {
	var who admin.Admin
	var token secret.Secret
	var err error
	if verb == "create" {
		who, token, err = console.Create(ctx, name, role)
	} else {
		who, token, err = console.ResetByName(ctx, name)
	}
	switch _, key := onboard.Explain(err); {
	case err == nil:
	case key == onboard.KeyNotFound:
		return fmt.Errorf("there is no admin %q", name)
	case key == admin.KeyTaken:
		return fmt.Errorf("there is an admin %q already; usher admin reset gives a new way in", name)
	default:
		return err
	}
	fmt.Fprintf(out, "%s (%s): open this link within 15 minutes; it works once.\n%s\n", who.Name, who.Role, setupLink(publicURL, token))
	return nil
}

// setupLink is where a one-time token is spent.
func setupLink(publicURL string, token secret.Secret) string {
	return publicURL + adminviews.SetupPath + "?token=" + url.QueryEscape(token.Reveal())
}

// printSetup tells how to make the first owner when there is no admin yet.
func printSetup(ctx context.Context, console *admin.Service, publicURL string, out io.Writer) error {
	token, err := console.Bootstrap(ctx)
	if err != nil || token.Empty() {
		return err
	}
	_, err = fmt.Fprintf(out, "\nThere is no admin yet. Open this link within 15 minutes to create the first one; it works once.\n"+
		"还没有管理员。请在 15 分钟内打开下面的链接创建第一个，只能用一次。\n\n  %s\n  setup token: %s\n\n", setupLink(publicURL, token), token.Reveal())
	return err
}
