// Package web answers the addresses of the site: the merchant's pages, the
// redirect back from WeChat, WeChat's pushes, live updates and health. It knows
// requests, cookies, redirects and statuses. It refuses to know SQL, WeChat's
// parameters and wording: those belong to the packages behind [Service] and to
// package views.
package web
