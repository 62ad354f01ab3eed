// Package onboard is the domain: how a merchant's account is authorized to a
// WeChat third-party platform (第三方平台), and how that authorization is kept.
// It holds the nouns, the rules and the steps. It refuses to know SQL, HTTP of
// our site, HTML, and WeChat's field names: those belong to the packages that
// implement [Store] and [OpenPlatform] or call [Service].
package onboard
