package xmltree

import (
	"errors"

	"github.com/antchfx/xpath"
)

// navigator walks a tree as XPath wants it. It never leaves the tree under its root.
type navigator struct {
	root *Node
	at   *Node
	attr int  // index of the attribute it is at, -1 at a node
	left *int // moves that the evaluation may still make, shared by all copies
}

// maxMoves bounds the work of one evaluation: predicates within predicates visit the
// whole tree again and again.
const maxMoves = 2_000_000

var errTooMuch = errors.New("it takes too many steps")

// spend takes moves from what is left. The library cannot be told to stop, so it is left
// by a panic, which Evaluate recovers.
func (v *navigator) spend(moves int) {
	if *v.left -= moves; *v.left < 0 {
		panic(errTooMuch)
	}
}

var _ xpath.NodeNavigator = (*navigator)(nil)

// NodeType implements xpath.NodeNavigator.
func (v *navigator) NodeType() xpath.NodeType {
	if v.attr >= 0 {
		return xpath.AttributeNode
	}
	switch v.at.Kind {
	case Document:
		return xpath.RootNode
	case Text:
		return xpath.TextNode
	case Comment:
		return xpath.CommentNode
	case Element:
	}
	return xpath.ElementNode
}

// LocalName implements xpath.NodeNavigator.
func (v *navigator) LocalName() string {
	if v.attr >= 0 {
		return v.at.Attrs[v.attr].Local
	}
	return v.at.Local
}

// Prefix implements xpath.NodeNavigator.
func (v *navigator) Prefix() string {
	if v.attr >= 0 {
		return v.at.Attrs[v.attr].Prefix
	}
	return v.at.Prefix
}

// NamespaceURL is what the library asks for besides its interface.
func (v *navigator) NamespaceURL() string {
	if v.attr >= 0 {
		return v.at.Attrs[v.attr].Space
	}
	return v.at.Space
}

// Value implements xpath.NodeNavigator.
func (v *navigator) Value() string {
	if v.attr >= 0 {
		return v.at.Attrs[v.attr].Value
	}
	text := v.at.Value()
	v.spend(1 + len(text)/8)
	return text
}

// Copy implements xpath.NodeNavigator.
func (v *navigator) Copy() xpath.NodeNavigator {
	v.spend(1)
	c := *v
	return &c
}

// MoveToRoot implements xpath.NodeNavigator.
func (v *navigator) MoveToRoot() { v.at, v.attr = v.root, -1 }

// MoveToParent implements xpath.NodeNavigator.
func (v *navigator) MoveToParent() bool {
	v.spend(1)
	if v.attr >= 0 {
		v.attr = -1
		return true
	}
	if v.at == v.root || v.at.Parent == nil {
		return false
	}
	v.at = v.at.Parent
	return true
}

// MoveToNextAttribute implements xpath.NodeNavigator.
func (v *navigator) MoveToNextAttribute() bool {
	v.spend(1)
	if v.attr+1 >= len(v.at.Attrs) {
		return false
	}
	v.attr++
	return true
}

// MoveToChild implements xpath.NodeNavigator.
func (v *navigator) MoveToChild() bool {
	v.spend(1)
	if v.attr >= 0 || len(v.at.Children) == 0 {
		return false
	}
	v.at = v.at.Children[0]
	return true
}

// MoveToFirst implements xpath.NodeNavigator.
func (v *navigator) MoveToFirst() bool {
	if v.attr >= 0 || v.at == v.root || v.at.index == 0 {
		return false
	}
	v.at = v.at.Parent.Children[0]
	return true
}

// MoveToNext implements xpath.NodeNavigator.
func (v *navigator) MoveToNext() bool { return v.step(1) }

// MoveToPrevious implements xpath.NodeNavigator.
func (v *navigator) MoveToPrevious() bool { return v.step(-1) }

func (v *navigator) step(by int) bool {
	v.spend(1)
	if v.attr >= 0 || v.at == v.root {
		return false
	}
	i := v.at.index + by
	if i < 0 || i >= len(v.at.Parent.Children) {
		return false
	}
	v.at = v.at.Parent.Children[i]
	return true
}

// MoveTo implements xpath.NodeNavigator.
func (v *navigator) MoveTo(to xpath.NodeNavigator) bool {
	other, ok := to.(*navigator)
	if !ok || other.root != v.root {
		return false
	}
	*v = *other
	return true
}
