package builtin

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"agentserver/core"
)

func xmlBlocks() []core.Block { return []core.Block{parseXML()} }

const (
	// maxXML bounds the text, in characters.
	maxXML = 10 << 20
	// maxXMLDepth bounds how deep tags nest, and so the result.
	maxXMLDepth = 1000
)

func parseXML() core.Block {
	type input struct {
		XML string `json:"input_xml" doc:"Text with tags, one of which holds all the others"`
	}
	type output struct {
		Parsed core.Pin[map[string]any] `json:"parsed_xml" doc:"The tags as an object"`
	}
	return core.NewBlock(core.BlockSpec{
		ID: "286380af-9529-4b55-8be0-1d7c854abdb5", Name: "XMLParserBlock", ErrorPin: core.ErrorPinDeclared,
		Description: "Reads text with simple tags, such as language models write, into an object. Attributes are not supported.",
	}, func(_ context.Context, _ *core.Run, in *input, out *output) error {
		if n := utf8.RuneCountInString(in.XML); n > maxXML {
			return core.Errorf(core.TooLarge, "XML too large: %d bytes > %d bytes", n, maxXML)
		}
		tokens := tokenizeXML(in.XML)
		if err := checkXML(tokens); err != nil {
			return core.Errorf(core.Invalid, "Validation error for dict:%w", err)
		}
		root, err := treeOfXML(tokens)
		if err != nil {
			return core.Errorf(core.Invalid, "Error in input xml syntax: %w", err)
		}
		out.Parsed.Emit(map[string]any{root.name: root.value()})
		return nil
	})
}

type xmlToken struct {
	open, close bool
	text        string // the tag's name, or text
}

// xmlPattern finds, in this order: an escaped character, a comment, the start
// of a tag, the end of one, text. What none of them matches is skipped.
var xmlPattern = regexp.MustCompile(`(?s)(\\.)|(<!--.*?-->)|<(\s*[^>/]+\s*)>|</(\s*[^>]+\s*)>|([^<]+)`)

func tokenizeXML(s string) []xmlToken {
	var tokens []xmlToken
	for _, m := range xmlPattern.FindAllStringSubmatch(s, -1) {
		switch {
		case m[3] != "":
			tokens = append(tokens, xmlToken{open: true, text: tagName(m[3])})
		case m[4] != "":
			tokens = append(tokens, xmlToken{close: true, text: tagName(m[4])})
		case m[5] != "":
			if text := strings.TrimSpace(m[5]); text != "" {
				tokens = append(tokens, xmlToken{text: text})
			}
		}
	}
	return tokens
}

var whiteSpace = regexp.MustCompile(`\s+`)

func tagName(s string) string {
	return strings.ToLower(whiteSpace.ReplaceAllString(strings.TrimSpace(s), "_"))
}

func checkXML(tokens []xmlToken) error {
	if len(tokens) == 0 {
		return errors.New("XML input is empty.")
	}
	depth, rooted := 0, false
	for _, t := range tokens {
		switch {
		case t.open && depth == 0 && rooted:
			return errors.New("XML must have a single root element.")
		case t.open:
			depth++
			rooted = true
			if depth > maxXMLDepth {
				return errors.New("XML is nested too deeply.")
			}
		case t.close && depth == 0:
			return errors.New("Unexpected closing tag in XML input.")
		case t.close:
			depth--
		case depth == 0:
			return errors.New("XML contains text outside the root element; wrap content in a single root tag.")
		}
	}
	if depth > 0 {
		return errors.New("Unclosed tag detected in XML input.")
	}
	if !rooted {
		return errors.New("XML must include a root element.")
	}
	return nil
}

type xmlNode struct {
	name     string
	text     string
	children []*xmlNode
}

// treeOfXML builds the tree of tokens that checkXML has seen.
func treeOfXML(tokens []xmlToken) (*xmlNode, error) {
	top := &xmlNode{}
	stack := []*xmlNode{top}
	for _, t := range tokens {
		current := stack[len(stack)-1]
		switch {
		case t.open:
			child := &xmlNode{name: t.text}
			current.children = append(current.children, child)
			stack = append(stack, child)
		case t.close:
			if t.text != current.name {
				return nil, core.Errorf(core.Invalid, "Mismatched tags: %s and %s", current.name, t.text)
			}
			stack = stack[:len(stack)-1]
		default:
			current.text += t.text
		}
	}
	return top.children[0], nil
}

// value is the text of a tag without tags in it. Tags in it become members, or
// a list of objects with one member each when a name repeats.
func (n *xmlNode) value() any {
	if len(n.children) == 0 {
		return n.text
	}
	members := map[string]any{}
	list := make([]any, len(n.children))
	for i, child := range n.children {
		v := child.value()
		members[child.name] = v
		list[i] = map[string]any{child.name: v}
	}
	if len(members) < len(n.children) {
		return list
	}
	return members
}
