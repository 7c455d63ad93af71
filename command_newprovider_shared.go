package main

import (
	"errors"
	"go/format"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
)

// addImport gives plugins.go with the provider in it. A line that is there
// already stays the only one.
func (p *newProvider) addImport(source []byte) ([]byte, error) {
	path := "agentserver/providers/" + p.Folder
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "plugins.go", source, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	if len(file.Imports) == 0 {
		return nil, errors.New("it has no imports to add one to")
	}
	for _, known := range file.Imports {
		if known.Path.Value == strconv.Quote(path) {
			return source, nil
		}
	}
	// Formatting sorts the lines of a block.
	at := files.Position(file.Imports[0].Pos()).Offset
	line := "_ " + strconv.Quote(path) + "\n\t"
	return format.Source([]byte(string(source[:at]) + line + string(source[at:])))
}

var (
	providerSections = regexp.MustCompile(`(?m)^## Settings of each provider\n`)
	providerSection  = regexp.MustCompile(`(?m)^\n### (\S+)\n`)
)

// addSettings gives docs/configuration.md with a section for the provider, in
// order of the names.
func (p *newProvider) addSettings(page []byte) ([]byte, error) {
	section, err := p.render("configuration.md.tmpl")
	if err != nil {
		return nil, err
	}
	start := providerSections.FindIndex(page)
	if start == nil {
		return nil, errors.New("it has no section for the settings of providers")
	}
	at := len(page)
	for _, m := range providerSection.FindAllSubmatchIndex(page[start[1]:], -1) {
		name := string(page[start[1]+m[2] : start[1]+m[3]])
		if name == p.Name {
			return page, nil
		}
		if name > p.Name {
			at = start[1] + m[0]
			break
		}
	}
	return append(append(append([]byte{}, page[:at]...), section...), page[at:]...), nil
}
