package builtin

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"agentserver/core"
)

func xmlBlocks() []core.Block { return []core.Block{parseXML()} }

const (
	// maxXML bounds the text, in characters.
	maxXML = 10 << 20
	// maxXMLDepth bounds how deep tags nest, and so the result.
	maxXMLDepth = 1000
	// maxXMLTags bounds how many there are: the result needs some hundred bytes for each.
	maxXMLTags = 200_000
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
		if err := checkXML(in.XML); err != nil {
			return core.Errorf(core.Invalid, "Validation error for dict:%w", err)
		}
		root, err := treeOfXML(in.XML)
		if err != nil {
			return core.Errorf(core.Invalid, "Error in input xml syntax: %w", err)
		}
		out.Parsed.Emit(map[string]any{root.name: root.value()})
		return nil
	})
}

// checkXML looks at the structure without keeping it.
func checkXML(text string) error {
	depth, tags, empty := 0, 0, true
	for tokens := newXMLTokens(text); ; empty = false {
		t, ok := tokens.next()
		if !ok {
			break
		}
		switch {
		case t.open && depth == 0 && tags > 0:
			return errors.New("XML must have a single root element.")
		case t.open:
			depth++
			if tags++; tags > maxXMLTags {
				return fmt.Errorf("XML has more than %d tags.", maxXMLTags)
			}
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
	switch {
	case empty:
		return errors.New("XML input is empty.")
	case depth > 0:
		return errors.New("Unclosed tag detected in XML input.")
	}
	return nil
}

type xmlNode struct {
	name     string
	text     []byte
	children []*xmlNode
}

// treeOfXML builds the tree of a text that checkXML has passed.
func treeOfXML(text string) (*xmlNode, error) {
	top := &xmlNode{}
	stack := []*xmlNode{top}
	for tokens := newXMLTokens(text); ; {
		t, ok := tokens.next()
		if !ok {
			return top.children[0], nil
		}
		current := stack[len(stack)-1]
		switch {
		case t.open:
			child := &xmlNode{name: tagName(t.text)}
			current.children = append(current.children, child)
			stack = append(stack, child)
		case t.close:
			if name := tagName(t.text); name != current.name {
				return nil, core.Errorf(core.Invalid, "Mismatched tags: %s and %s", current.name, name)
			}
			stack = stack[:len(stack)-1]
		default:
			current.text = append(current.text, t.text...)
		}
	}
}

// value is the text of a tag without tags in it. Tags in it become members, or
// a list of objects with one member each when a name repeats.
func (n *xmlNode) value() any {
	if len(n.children) == 0 {
		return string(n.text)
	}
	members := map[string]any{}
	for _, child := range n.children {
		members[child.name] = nil
	}
	if len(members) == len(n.children) {
		for _, child := range n.children {
			members[child.name] = child.value()
		}
		return members
	}
	list := make([]any, len(n.children))
	for i, child := range n.children {
		list[i] = map[string]any{child.name: child.value()}
	}
	return list
}
