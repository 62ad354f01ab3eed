package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"usher/internal/admin"
	"usher/internal/i18n"
	"usher/internal/onboard"
	"usher/internal/secret"
	adminviews "usher/views/admin"
)

// peopleRoutes are the pages on which owners manage admins.
func (s *Server) peopleRoutes(r *adminRouter) {
	r.get(adminviews.AdminsPath, admin.ManageAdmins, s.admins)
	r.post(adminviews.AdminsPath, admin.ManageAdmins, s.addAdmin)
	r.get(adminviews.AdminsPath+"/new", admin.ManageAdmins, s.newAdmin)
	r.get(adminviews.AdminsPath+"/:admin", admin.ManageAdmins, s.admin)
	r.post(adminviews.AdminsPath+"/:admin/role", admin.ManageAdmins, s.setRole)
	r.post(adminviews.AdminsPath+"/:admin/reset", admin.ManageAdmins, s.resetAdmin)
	r.post(adminviews.AdminsPath+"/:admin/sign-out", admin.ManageAdmins, s.signOutAdmin)
	r.get(adminviews.AdminsPath+"/:admin/remove", admin.ManageAdmins, s.removePage)
	r.post(adminviews.AdminsPath+"/:admin/remove", admin.ManageAdmins, s.removeAdmin)
}

func (s *Server) admins(a *adminContext) error {
	all, err := s.Console.Admins(a.ctx())
	if err != nil {
		return err
	}
	return a.render(http.StatusOK, adminviews.Admins(adminviews.AdminsPage{Frame: a.frame(), Admins: all}))
}

func (s *Server) newAdmin(a *adminContext) error {
	return a.render(http.StatusOK, adminviews.NewAdmin(adminviews.NewAdminPage{Frame: a.frame(), Role: string(admin.Operator)}))
}

func (s *Server) addAdmin(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	m := adminviews.NewAdminPage{Name: value("name"), Role: value("role")}
	who, token, err := s.Console.Create(a.ctx(), m.Name, admin.Role(m.Role))
	if fault, ok := a.fault(err, peopleField(err), admin.Entrance{}); ok {
		m.Faults = adminviews.Faults{fault}
		m.Frame = a.frame()
		return a.render(http.StatusUnprocessableEntity, adminviews.NewAdmin(m))
	}
	if err != nil {
		return err
	}
	return a.wayIn(who, token)
}

// peopleField is the field that an error is about.
func peopleField(err error) string {
	_, key := onboard.Explain(err)
	if key == admin.KeyName || key == admin.KeyTaken {
		return "name"
	}
	return "role"
}

// wayIn shows a one-time link. It is in this answer only: we keep but its hash.
func (a *adminContext) wayIn(who admin.Admin, token secret.Secret) error {
	link := a.s.PublicURL + adminviews.SetupPath + "?token=" + url.QueryEscape(token.Reveal())
	return a.render(http.StatusOK, adminviews.WayIn(adminviews.WayInPage{Frame: a.frame(), Who: who, Link: link}))
}

// adminPage reads the admin of the address.
func (a *adminContext) adminPage() (adminviews.AdminPage, error) {
	who, err := a.s.Console.Admin(a.ctx(), a.Param("admin"))
	if err != nil {
		return adminviews.AdminPage{}, err
	}
	sessions, err := a.s.Console.Sessions(a.ctx(), who.ID)
	return adminviews.AdminPage{Who: who, Sessions: sessions}, err
}

func (s *Server) admin(a *adminContext) error {
	m, err := a.adminPage()
	if err != nil {
		return err
	}
	m.Frame = a.frame()
	return a.render(http.StatusOK, adminviews.Admin(m))
}

func (s *Server) removePage(a *adminContext) error {
	m, err := a.adminPage()
	if err != nil {
		return err
	}
	m.Frame = a.frame()
	return a.render(http.StatusOK, adminviews.RemoveAdmin(m))
}

// version reads the version of what the form was made from.
func version(value func(string) string) int64 {
	n, err := strconv.ParseInt(value("version"), 10, 64)
	if err != nil {
		return -1 // never the version of anything: the form comes back
	}
	return n
}

func (s *Server) setRole(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	who, err := s.Console.SetRole(a.ctx(), a.Param("admin"), admin.Role(value("role")), version(value))
	if err != nil {
		return a.adminFault(err, "role", adminviews.Admin)
	}
	next := adminviews.AdminPath(who.ID)
	if who.ID == a.Admin.ID && !who.Role.May(admin.ManageAdmins) {
		next = adminRoot
	}
	return a.done(next, i18n.AdminsRoleSaved, "name", who.Name, "role", i18n.T(a.ctx(), adminviews.RoleKey(who.Role)))
}

// adminFault shows a page of an admin again with what is wrong above it.
func (a *adminContext) adminFault(err error, field string, page func(adminviews.AdminPage) templ.Component) error {
	fault, ok := a.fault(err, field, admin.Entrance{})
	if !ok {
		return err
	}
	m, failed := a.adminPage()
	if failed != nil {
		return errors.Join(err, failed)
	}
	m.Faults = adminviews.Faults{fault}
	m.Frame = a.frame()
	return a.render(http.StatusUnprocessableEntity, page(m))
}

func (s *Server) resetAdmin(a *adminContext) error {
	who, token, err := s.Console.Reset(a.ctx(), a.Param("admin"))
	if err != nil {
		return err
	}
	return a.wayIn(who, token)
}

func (s *Server) signOutAdmin(a *adminContext) error {
	who, err := s.Console.Admin(a.ctx(), a.Param("admin"))
	if err != nil {
		return err
	}
	if err := s.Console.SignOutEverywhere(a.ctx(), who.ID); err != nil {
		return err
	}
	return a.done(adminviews.AdminPath(who.ID), i18n.AdminsSignedOut, "name", who.Name)
}

func (s *Server) removeAdmin(a *adminContext) error {
	value, err := a.values()
	if err != nil {
		return err
	}
	who, err := s.Console.Remove(a.ctx(), a.Param("admin"), version(value))
	if err != nil {
		return a.adminFault(err, "remove", adminviews.RemoveAdmin)
	}
	return a.done(adminviews.AdminsPath, i18n.AdminsRemoved, "name", who.Name)
}
