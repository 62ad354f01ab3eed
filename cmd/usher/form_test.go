package main

import (
	"cmp"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

func elements(n *html.Node, tag string) []*html.Node {
	var all []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == tag {
			all = append(all, d)
		}
	}
	return all
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// fields is what a browser sends of a form that nobody touched, with the first
// submit button pressed.
func fields(form *html.Node) url.Values {
	values := url.Values{}
	pressed := false
	for n := range form.Descendants() {
		name, _ := attr(n, "name")
		if _, off := attr(n, "disabled"); n.Type != html.ElementNode || name == "" || off {
			continue
		}
		value, hasValue := attr(n, "value")
		switch kind, _ := attr(n, "type"); {
		case n.Data == "input" && (kind == "radio" || kind == "checkbox"):
			if _, checked := attr(n, "checked"); checked {
				if !hasValue {
					value = "on"
				}
				values.Add(name, value)
			}
		case n.Data == "input" && kind != "submit", n.Data == "textarea" && n.FirstChild == nil:
			values.Add(name, value)
		case n.Data == "textarea":
			values.Add(name, strings.TrimPrefix(n.FirstChild.Data, "\n"))
		case n.Data == "select":
			values.Add(name, selected(n))
		case n.Data == "button" && cmp.Or(kind, "submit") == "submit" && !pressed:
			pressed = true
			values.Add(name, value)
		}
	}
	return values
}

func selected(choice *html.Node) string {
	var first *string
	for _, o := range elements(choice, "option") {
		value, _ := attr(o, "value")
		if _, chosen := attr(o, "selected"); chosen {
			return value
		}
		if first == nil {
			first = &value
		}
	}
	if first == nil {
		return ""
	}
	return *first
}

func hasField(form *html.Node, name string) bool {
	for n := range form.Descendants() {
		if got, ok := attr(n, "name"); ok && got == name {
			return true
		}
	}
	return false
}
