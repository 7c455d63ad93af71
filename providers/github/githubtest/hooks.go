package githubtest

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Hook is a webhook of a repository.
type Hook struct {
	ID     int64
	Active bool
	Events []string
	URL    string
	Secret string
	// ContentType is json or form.
	ContentType string
}

// hook is a webhook with the repository it belongs to.
type hook struct {
	Hook
	repo        string
	insecureSSL string
}

// Hooks gives the webhooks of a repository, in the order of their ids.
func (s *Server) Hooks(repository string) []Hook {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Hook{}
	if r := s.repos[strings.ToLower(repository)]; r != nil {
		for _, h := range r.hooks {
			list = append(list, h.copy())
		}
	}
	return list
}

// RemoveHook deletes a webhook as its owner may do on the web site.
func (s *Server) RemoveHook(repository string, id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.repos[strings.ToLower(repository)]; r != nil {
		r.hooks = slices.DeleteFunc(r.hooks, func(h *hook) bool { return h.ID == id })
	}
}

func (h *hook) copy() Hook {
	c := h.Hook
	c.Events = slices.Clone(c.Events)
	return c
}

// wants reports whether the webhook gets an event.
func (h *hook) wants(event string) bool {
	return event == pingEvent || h.Active && (slices.Contains(h.Events, event) || slices.Contains(h.Events, "*"))
}

// wire is the webhook as GitHub gives it, which never tells the secret.
func (h *hook) wire() object {
	config := object{"url": h.URL, "content_type": h.ContentType, "insecure_ssl": h.insecureSSL}
	if h.Secret != "" {
		config["secret"] = "********"
	}
	address := fmt.Sprintf("https://api.github.com/repos/%s/hooks/%d", h.repo, h.ID)
	return object{
		"type": "Repository", "id": h.ID, "name": "web", "active": h.Active, "events": h.Events, "config": config,
		"updated_at": "2019-06-03T00:57:16Z", "created_at": "2019-06-03T00:57:16Z", "url": address,
		"test_url": address + "/test", "ping_url": address + "/pings", "deliveries_url": address + "/deliveries",
		"last_response": object{"code": nil, "status": "unused", "message": nil},
	}
}

func (s *Server) routeHooks() {
	s.handle("POST", "/hooks", s.create)
	s.handle("GET", "/hooks", list)
	s.handle("GET", "/hooks/{id}", withHook(func(_ *call, h *hook) reply { return reply{http.StatusOK, h.wire()} }))
	s.handle("PATCH", "/hooks/{id}", withHook(change))
	s.handle("DELETE", "/hooks/{id}", withHook(func(c *call, h *hook) reply {
		c.repo.hooks = slices.DeleteFunc(c.repo.hooks, func(other *hook) bool { return other == h })
		return noContent
	}))
	s.handle("POST", "/hooks/{id}/pings", withHook(func(_ *call, h *hook) reply {
		s.ping(h)
		return noContent
	}))
}

// create makes a webhook. As GitHub does, it refuses one that differs from
// another neither in its address nor in its events, and pings the new one.
func (s *Server) create(c *call) reply {
	h := &hook{repo: c.repo.name}
	h.Active, h.Events = true, []string{"push"}
	if refused, ok := h.assign(c.body); !ok {
		return refused
	}
	if h.URL == "" {
		return invalid("Config must contain URL for webhooks")
	}
	for _, other := range c.repo.hooks {
		if other.URL == h.URL && slices.Equal(sorted(other.Events), sorted(h.Events)) {
			return invalid("Hook already exists on this repository")
		}
	}
	if len(c.repo.hooks) >= maxHooks {
		return invalid("The \"push\" event cannot have more than 20 hooks")
	}
	s.lastID++
	h.ID = 12345677 + s.lastID
	c.repo.hooks = append(c.repo.hooks, h)
	s.ping(h)
	return reply{http.StatusCreated, h.wire()}
}

// maxHooks is how many webhooks of one event a repository has at most. Here it
// bounds them all.
const maxHooks = 20

func change(c *call, h *hook) reply {
	changed := *h
	if refused, ok := changed.assign(c.body); !ok {
		return refused
	}
	*h = changed
	return reply{http.StatusOK, h.wire()}
}

var eventName = regexp.MustCompile(`^([a-z_]+|\*)$`)

// assign takes the members of a request. A config replaces all of the one
// before.
func (h *hook) assign(body object) (refused reply, ok bool) {
	if active, given := body["active"].(bool); given {
		h.Active = active
	}
	if events, given := body["events"].([]any); given {
		h.Events = nil
		for _, e := range events {
			name, _ := e.(string)
			if !eventName.MatchString(name) {
				return invalid(fmt.Sprintf("Invalid event: %q", name)), false
			}
			h.Events = append(h.Events, name)
		}
	}
	config, given := body["config"].(object)
	if !given {
		return reply{}, true
	}
	text := func(name, missing string) string {
		if t, ok := config[name].(string); ok {
			return t
		}
		return missing
	}
	h.URL, h.Secret = text("url", ""), text("secret", "")
	h.ContentType, h.insecureSSL = text("content_type", "form"), text("insecure_ssl", "0")
	if u, err := url.Parse(h.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return invalid("url is not a valid URL"), false
	}
	return reply{}, true
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func list(c *call) reply {
	number := func(name string, missing int) int {
		if n, err := strconv.Atoi(c.URL.Query().Get(name)); err == nil && n > 0 {
			return n
		}
		return missing
	}
	size := min(number("per_page", 30), 100)
	from := min((number("page", 1)-1)*size, len(c.repo.hooks))
	page := []object{}
	for _, h := range c.repo.hooks[from:min(from+size, len(c.repo.hooks))] {
		page = append(page, h.wire())
	}
	return reply{http.StatusOK, page}
}

// withHook finds the webhook that the path names.
func withHook(fn func(c *call, h *hook) reply) func(c *call) reply {
	return func(c *call) reply {
		for _, h := range c.repo.hooks {
			if strconv.FormatInt(h.ID, 10) == c.PathValue("id") {
				return fn(c, h)
			}
		}
		return notFound
	}
}
