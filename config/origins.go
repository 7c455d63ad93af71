package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Origins are the web pages that may call the API.
type Origins struct {
	// Exact are whole origins, such as https://app.example.com.
	Exact []string
	// Patterns match a whole origin each.
	Patterns []*regexp.Regexp
}

// Allow reports whether a page of that origin may call the API.
func (o Origins) Allow(origin string) bool {
	return slices.Contains(o.Exact, origin) ||
		slices.ContainsFunc(o.Patterns, func(p *regexp.Regexp) bool { return p.MatchString(origin) })
}

// loopbackNames are what an origin on the user's own machine has in it, each
// at the place of its twin.
var loopbackNames = [2]string{"localhost", "127.0.0.1"}

// loopbackSamples must not pass in production, whatever a pattern looks like.
var loopbackSamples = []string{
	"http://localhost:3000", "http://127.0.0.1:3000", "https://localhost:8000", "https://127.0.0.1:8000",
}

// parseOrigins reads cors.allow_origins. For a local origin, its twin over
// http is allowed too; production refuses local origins.
func parseOrigins(entries []string, prod bool) (Origins, error) {
	var o Origins
	for _, entry := range entries {
		entry = strings.TrimSpace(entry)
		if prod && namesLoopback(entry) {
			return o, fmt.Errorf("%q is for a developer's machine and app_env is prod", entry)
		}
		if pattern, ok := strings.CutPrefix(entry, "regex:"); ok {
			p, err := parsePattern(pattern, prod)
			if err != nil {
				return o, fmt.Errorf("%q: %w", entry, err)
			}
			o.Patterns = append(o.Patterns, p)
			continue
		}
		origin, err := parseOrigin(entry)
		if err != nil {
			return o, fmt.Errorf("%q: %w", entry, err)
		}
		o.Exact = appendNew(o.Exact, origin)
	}
	for _, origin := range slices.Clone(o.Exact) {
		if twin := twinOf(origin); twin != "" {
			o.Exact = appendNew(o.Exact, twin)
		}
	}
	return o, nil
}

func parseOrigin(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", errors.New("an origin starts with http:// or https://, or it is regex: and a pattern")
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", errors.New("an origin ends with the host and the port")
	}
	if namesLoopback(text) && u.Port() == "" {
		return "", errors.New("a local origin needs a port, such as http://localhost:3000")
	}
	return strings.TrimRight(text, "/"), nil
}

// parsePattern compiles a pattern so that it matches whole origins.
func parsePattern(pattern string, prod bool) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, errors.New("the pattern is empty")
	}
	loose, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	if prod && slices.ContainsFunc(loopbackSamples, loose.MatchString) {
		return nil, errors.New("the pattern allows origins on a developer's machine and app_env is prod")
	}
	return regexp.Compile("^(?:" + pattern + ")$")
}

func namesLoopback(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, loopbackNames[0]) || strings.Contains(text, loopbackNames[1])
}

// twinOf gives http://127.0.0.1:port for localhost and the reverse.
func twinOf(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	switch strings.ToLower(u.Hostname()) {
	case loopbackNames[0]:
		return "http://" + loopbackNames[1] + ":" + u.Port()
	case loopbackNames[1]:
		return "http://" + loopbackNames[0] + ":" + u.Port()
	}
	return ""
}

func appendNew(list []string, item string) []string {
	if slices.Contains(list, item) {
		return list
	}
	return append(list, item)
}
