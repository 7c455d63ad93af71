package agentmailtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
)

// maxPage is the most items of a page.
const maxPage = 100

// page answers with one page of a list. The token of a page is the id of the
// last item before it.
func (c *call) page(name, idName string, items []object) reply {
	limit := 20
	if text := c.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxPage {
			return invalid("limit", "must be from 1 to 100")
		}
		limit = n
	}
	if token := c.URL.Query().Get("page_token"); token != "" {
		at := slices.IndexFunc(items, func(o object) bool { return o[idName] == token })
		if at < 0 {
			return invalid("page_token", "is not valid")
		}
		items = items[at+1:]
	}
	answer := object{"limit": limit}
	if len(items) > limit {
		items = items[:limit]
		answer["next_page_token"] = items[limit-1][idName]
	}
	if items == nil {
		items = []object{}
	}
	answer["count"], answer[name] = len(items), items
	return reply{http.StatusOK, answer}
}

// labels gives the labels asked for: a JSON array, or one label each time.
func (c *call) labels() []string {
	var all []string
	for _, text := range c.URL.Query()["labels"] {
		var list []string
		if json.Unmarshal([]byte(text), &list) != nil {
			list = []string{text}
		}
		all = append(all, list...)
	}
	return all
}

// hasAll reports whether the labels asked for are all there.
func hasAll(labels, asked []string) bool {
	for _, l := range asked {
		if !slices.Contains(labels, l) {
			return false
		}
	}
	return true
}
