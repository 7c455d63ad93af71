package config

import (
	"cmp"
	"net"
	"net/url"
	"strings"
)

// An alias is a way to set a field by variables of other names: one, or
// several that are read together.
type alias struct{ names []string }

func parseAliases(tag string) []alias {
	var out []alias
	for group := range strings.SplitSeq(tag, ",") {
		if group != "" {
			out = append(out, alias{names: strings.Split(group, "+")})
		}
	}
	return out
}

// String joins the names as in the tag.
func (a alias) String() string { return strings.Join(a.names, "+") }

// read gives the value in the form of our own variable, and the names that it
// came from. No names: the alias sets nothing.
func (a alias) read(env environment) (value string, from []string) {
	values := make([]string, len(a.names))
	for i, name := range a.names {
		values[i] = strings.TrimSpace(env[name])
		if values[i] != "" {
			from = append(from, name)
		}
	}
	if len(from) == 0 {
		return "", nil
	}
	if rewrite := combine[a.String()]; rewrite != nil {
		if value = rewrite(values); value == "" {
			return "", nil
		}
		return value, from
	}
	return values[0], from
}

// combine makes one value of ours from the values of an alias whose form
// differs, in the order of the tag. An empty result sets nothing.
var combine = map[string]func(values []string) string{
	"AGENT_API_HOST+AGENT_API_PORT": func(v []string) string {
		return net.JoinHostPort(cmp.Or(v[0], "127.0.0.1"), cmp.Or(v[1], "8006"))
	},
	// A port or password alone does not ask for Redis.
	"REDIS_HOST+REDIS_PORT+REDIS_PASSWORD": func(v []string) string {
		if v[0] == "" {
			return ""
		}
		u := url.URL{Scheme: "redis", Host: net.JoinHostPort(v[0], cmp.Or(v[1], "6379")), Path: "/0"}
		if v[2] != "" {
			u.User = url.UserPassword("", v[2])
		}
		return u.String()
	},
	// Python's level names.
	"LOG_LEVEL": func(v []string) string {
		switch level := strings.ToLower(v[0]); level {
		case "warning":
			return "warn"
		case "critical", "fatal":
			return "error"
		default:
			return level
		}
	},
}
