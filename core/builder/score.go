package builder

import "strings"

// minScore is what a thing needs to be found.
const minScore = 10

// maxText is how many bytes of a text are compared, so that no text takes more
// than some milliseconds. What blocks say of themselves is shorter; what people
// write of their agents need not be.
const maxText = 4000

// cut is the part of a text that is compared.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "")
}

// scorer scores names and texts, in small letters, for one query in small
// letters. It is not safe for concurrent use.
type scorer struct {
	query string
	model string // the query as names of models are compared
	match *matcher
}

func newScorer(query string) *scorer { return &scorer{query, squash(query), newMatcher(query)} }

// primary scores a thing by its name, and by its description if it has one.
func (s *scorer) primary(name, text string) float64 {
	score := 50 * s.match.ratio(name)
	switch {
	case name == s.query:
		score += 120
	case strings.HasPrefix(name, s.query):
		score += 90
	case strings.Contains(name, s.query):
		score += 60
	}
	if text != "" {
		if strings.Contains(text, s.query) {
			score += 30
		}
		score += 25 * s.match.ratio(text)
	}
	return score
}

// extra scores another text of a thing: contains points if the query is in it,
// and up to similar points for being like it.
func (s *scorer) extra(text string, contains, similar float64) float64 {
	if text == "" {
		return 0
	}
	score := similar * s.match.ratio(text)
	if strings.Contains(text, s.query) {
		score += contains
	}
	return score
}
