package graph

import "slices"

// put adds a key, or replaces the one that the probe finds, and returns the replaced one.
func (t *tree[K]) put(epoch uint64, key K, probe func(K) int) (old K, replaced bool) {
	if t.root == nil {
		t.root = &branch[K]{epoch: epoch, keys: []K{key}}
		t.size = 1
		return old, false
	}
	root, right, old, replaced := t.root.put(epoch, key, probe)
	if right != nil {
		root = &branch[K]{epoch: epoch, keys: []K{root.keys[0], right.keys[0]}, kids: []*branch[K]{root, right}}
	}
	t.root = root
	if !replaced {
		t.size++
	}
	return old, replaced
}

// put returns the changed branch and, when it had to be split, its right half.
func (b *branch[K]) put(epoch uint64, key K, probe func(K) int) (left, right *branch[K], old K, replaced bool) {
	b = b.own(epoch)
	if b.kids == nil {
		i := b.lower(probe)
		if i < len(b.keys) && probe(b.keys[i]) == 0 {
			old, b.keys[i] = b.keys[i], key
			return b, nil, old, true
		}
		b.keys = slices.Insert(b.keys, i, key)
		return b, b.split(epoch, i), old, false
	}
	i := b.kid(probe)
	kid, sibling, old, replaced := b.kids[i].put(epoch, key, probe)
	b.kids[i] = kid
	if sibling != nil {
		b.kids = slices.Insert(b.kids, i+1, sibling)
		b.keys = slices.Insert(b.keys, i+1, sibling.keys[0])
	}
	return b, b.split(epoch, i+1), old, replaced
}

// own returns b itself when the edit made it, else a copy with room for one key more.
func (b *branch[K]) own(epoch uint64) *branch[K] {
	if b.epoch == epoch {
		return b
	}
	c := &branch[K]{epoch: epoch, keys: append(make([]K, 0, len(b.keys)+1), b.keys...)}
	if b.kids != nil {
		c.kids = append(make([]*branch[K], 0, len(b.kids)+1), b.kids...)
	}
	return c
}

// limit is how many keys b may have.
func (b *branch[K]) limit() int {
	if b.kids == nil {
		return treeLeaf
	}
	return treeFan
}

// split cuts b in two when it is too large and returns the right part. What grows at its
// end, as when keys come in order, is left nearly full.
func (b *branch[K]) split(epoch uint64, grown int) *branch[K] {
	n := len(b.keys)
	switch {
	case n <= b.limit():
		return nil
	case grown == n-1:
		return b.cut(epoch, n*7/8)
	}
	return b.cut(epoch, n/2)
}

// cut leaves b its first n keys and returns a branch with the others.
func (b *branch[K]) cut(epoch uint64, n int) *branch[K] {
	right := &branch[K]{epoch: epoch, keys: slices.Clone(b.keys[n:])}
	b.keys = slices.Clone(b.keys[:n])
	if b.kids != nil {
		right.kids = slices.Clone(b.kids[n:])
		b.kids = slices.Clone(b.kids[:n])
	}
	return right
}

// remove removes the key that the probe finds and returns it.
func (t *tree[K]) remove(epoch uint64, probe func(K) int) (old K, removed bool) {
	if _, ok := t.find(probe); !ok { // so that nothing is copied in vain
		return old, false
	}
	root := t.root.own(epoch)
	old = root.remove(epoch, probe)
	for root != nil && root.kids != nil && len(root.kids) == 1 {
		root = root.kids[0]
	}
	if root.kids == nil && len(root.keys) == 0 {
		root = nil
	}
	t.root = root
	t.size--
	return old, true
}

// remove removes a key that is there. b is the edit's own.
func (b *branch[K]) remove(epoch uint64, probe func(K) int) (old K) {
	if b.kids == nil {
		i := b.lower(probe)
		old = b.keys[i]
		b.keys = slices.Delete(b.keys, i, i+1)
		return old
	}
	i := b.kid(probe)
	kid := b.kids[i].own(epoch)
	b.kids[i] = kid
	old = kid.remove(epoch, probe)
	if len(kid.keys) < kid.limit()/4 && len(b.kids) > 1 {
		b.refill(epoch, max(i, 1)-1)
	}
	return old
}

// refill joins children i and i+1, and parts them evenly when they are too many for one.
func (b *branch[K]) refill(epoch uint64, i int) {
	left := b.kids[i].own(epoch)
	right := b.kids[i+1]
	if left.kids != nil {
		// right.keys[0] says nothing, see branch; b's key for right is the one that parts them.
		left.keys = append(left.keys, b.keys[i+1])
		left.keys = append(left.keys, right.keys[1:]...)
		left.kids = append(left.kids, right.kids...)
	} else {
		left.keys = append(left.keys, right.keys...)
	}
	b.kids[i] = left
	if len(left.keys) <= left.limit()*7/8 {
		b.keys = slices.Delete(b.keys, i+1, i+2)
		b.kids = slices.Delete(b.kids, i+1, i+2)
		return
	}
	b.kids[i+1] = left.cut(epoch, len(left.keys)/2)
	b.keys[i+1] = b.kids[i+1].keys[0]
}
