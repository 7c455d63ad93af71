// Package template renders the Jinja templates of blocks, prompts and mails.
//
// Templates are written by users, so the package is an interpreter of its own:
// every step of a rendering is counted against a time and a memory limit, which
// the general template libraries cannot offer, and a template sees nothing but
// the values it is given: no Go methods, no files, no other templates.
//
// # Language
//
// Expressions, filters, tests, loops, conditions, assignments, macros, call,
// filter, with, raw and autoescape blocks follow Jinja 3. Values print as they
// do in Python: True, None, [1, 2], {'x': 1}, 1.0. A missing variable prints as
// nothing and is false; taking an attribute of it or calling it is an error.
// Members of objects come in sorted order. The only global is range.
//
// # Files
//
// lexer.go splits the source into tokens, parse*.go build the tree (node*.go),
// whose nodes evaluate themselves against an evaluator (evaluator.go). Values
// are in value.go, print.go and compare.go, operators in operators.go,
// attributes and items in access.go, methods in methods*.go, number and text
// layout in format*.go, and the filters and tests in the files of those names.
// testdata/jinja.json holds templates with the results that Jinja gives them.
package template
