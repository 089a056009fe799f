package xmltree

import "github.com/antchfx/xpath"

// navigator walks a tree as XPath wants it. It never leaves the tree under its root.
type navigator struct {
	root *Node
	at   *Node
	attr int // index of the attribute it is at, -1 at a node
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
	return v.at.Value()
}

// Copy implements xpath.NodeNavigator.
func (v *navigator) Copy() xpath.NodeNavigator {
	c := *v
	return &c
}

// MoveToRoot implements xpath.NodeNavigator.
func (v *navigator) MoveToRoot() { v.at, v.attr = v.root, -1 }

// MoveToParent implements xpath.NodeNavigator.
func (v *navigator) MoveToParent() bool {
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
	if v.attr+1 >= len(v.at.Attrs) {
		return false
	}
	v.attr++
	return true
}

// MoveToChild implements xpath.NodeNavigator.
func (v *navigator) MoveToChild() bool {
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
