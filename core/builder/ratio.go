package builder

import (
	"math/bits"
	"slices"
)

// maxQuery is how many characters of a query are compared. They fit into a
// [positions].
const maxQuery = 100

// positions is a set of places in a query, of which the first 64 are in lo.
type positions struct{ lo, hi uint64 }

func (p positions) and(q positions) positions { return positions{p.lo & q.lo, p.hi & q.hi} }

func (p positions) or(q positions) positions { return positions{p.lo | q.lo, p.hi | q.hi} }

// next moves every place one to the right.
func (p positions) next() positions { return positions{p.lo << 1, p.hi<<1 | p.lo>>63} }

func (p positions) empty() bool { return p.lo|p.hi == 0 }

func (p positions) first() int {
	if p.lo != 0 {
		return bits.TrailingZeros64(p.lo)
	}
	return 64 + bits.TrailingZeros64(p.hi)
}

// between is the places from start up to end.
func between(start, end int) positions {
	below := func(n int) positions {
		if n < 64 {
			return positions{1<<n - 1, 0}
		}
		return positions{^uint64(0), 1<<(n-64) - 1}
	}
	s, e := below(start), below(end)
	return positions{e.lo &^ s.lo, e.hi &^ s.hi}
}

// matcher compares texts with one query. It is not safe for concurrent use: its
// buffers serve every text in turn.
type matcher struct {
	length int // of the query
	ascii  [128]positions
	others map[rune]positions

	// text has, for each character of the text, where the query has it, and ends
	// where in the query the stretches end that end at it.
	text, ends []positions
}

// newMatcher prepares the first [maxQuery] characters of a query.
func newMatcher(query string) *matcher {
	m := &matcher{others: map[rune]positions{}}
	for _, c := range query {
		if m.length == maxQuery {
			break
		}
		here := between(m.length, m.length+1)
		if c < 128 {
			m.ascii[c] = m.ascii[c].or(here)
		} else {
			m.others[c] = m.others[c].or(here)
		}
		m.length++
	}
	return m
}

// ratio says how alike a text and the query are, from 0 to 1: by the algorithm
// of Ratcliff and Obershelp, twice the number of characters that match, over
// the number of all. The longest stretch that both have matches, the leftmost in
// the text and then in the query among several, and so on to both sides of it.
//
// For a text of n characters and a query of m it takes at most n·(2m+1) steps of
// some machine instructions: a stretch of length k costs k+1 passes over a part
// of the text, and around no character are there more stretches, one in the part
// beside the other, than the query has characters.
func (m *matcher) ratio(text string) float64 {
	m.text = m.text[:0]
	for _, c := range text {
		if c < 128 {
			m.text = append(m.text, m.ascii[c])
		} else {
			m.text = append(m.text, m.others[c])
		}
	}
	all := len(m.text) + m.length
	if all == 0 {
		return 1
	}
	m.ends = slices.Grow(m.ends[:0], len(m.text))[:len(m.text)]
	return 2 * float64(m.matching(0, len(m.text), 0, m.length)) / float64(all)
}

// matching counts the characters that match between parts of the text and of the
// query.
func (m *matcher) matching(textLo, textHi, queryLo, queryHi int) int {
	if textLo == textHi || queryLo == queryHi {
		return 0
	}
	text, query, size := m.longest(textLo, textHi, queryLo, queryHi)
	if size == 0 {
		return 0
	}
	return size + m.matching(textLo, text, queryLo, query) + m.matching(text+size, textHi, query+size, queryHi)
}

// longest finds the longest stretch that parts of the text and of the query have
// in common. The first pass finds the ends of stretches of length 1, and each one
// after it those that are one longer, between the first and the last there are.
func (m *matcher) longest(textLo, textHi, queryLo, queryHi int) (text, query, size int) {
	part := between(queryLo, queryHi)
	first, last := -1, -1
	for i := textLo; i < textHi; i++ {
		here := m.text[i].and(part)
		m.ends[i] = here
		if !here.empty() {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	for first >= 0 {
		text, query = first-size, m.ends[first].first()-size
		size++
		before := m.ends[first]
		from, to := first+1, min(last+2, textHi)
		first = -1
		for i := from; i < to; i++ {
			longer := before.next().and(part).and(m.text[i])
			before = m.ends[i]
			m.ends[i] = longer
			if !longer.empty() {
				if first < 0 {
					first = i
				}
				last = i
			}
		}
	}
	return text, query, size
}
