package graph

// The sizes of a tree's nodes. A write copies one node of each level.
const (
	treeLeaf = 128 // keys of a leaf
	treeFan  = 64  // children of a branch
	treeFill = 112 // keys of a leaf that is built at once, so that the next write need not split it
)

// tree is a persistent B+tree: a sorted set of keys. Copying the struct takes a snapshot;
// the epoch that an edit carries says which nodes it made itself and may change in place.
// A probe says where a key stands to the one sought: negative when the sought key is less.
type tree[K any] struct {
	root *branch[K]
	size int
}

// branch is a node of a tree. In a leaf keys are the keys; above, keys[i] is not greater
// than any key below kids[i] and greater than every key below kids[i-1]. The first key
// above a leaf says nothing and is never looked at.
type branch[K any] struct {
	epoch uint64
	keys  []K
	kids  []*branch[K]
}

// buildTree returns the tree of sorted keys.
func buildTree[K any](epoch uint64, keys []K) tree[K] {
	if len(keys) == 0 {
		return tree[K]{}
	}
	var level []*branch[K]
	for _, part := range portions(len(keys), treeFill) {
		level = append(level, &branch[K]{epoch: epoch, keys: append(make([]K, 0, part[1]-part[0]), keys[part[0]:part[1]]...)})
	}
	for len(level) > 1 {
		var above []*branch[K]
		for _, part := range portions(len(level), treeFan*7/8) {
			b := &branch[K]{epoch: epoch, kids: append([]*branch[K](nil), level[part[0]:part[1]]...)}
			for _, kid := range b.kids {
				b.keys = append(b.keys, kid.keys[0])
			}
			above = append(above, b)
		}
		level = above
	}
	return tree[K]{root: level[0], size: len(keys)}
}

// portions cuts n into the fewest parts of at most size, all about equally large.
func portions(n, size int) [][2]int {
	count := (n + size - 1) / size
	parts := make([][2]int, count)
	for i := range parts {
		parts[i] = [2]int{n * i / count, n * (i + 1) / count}
	}
	return parts
}

// kid returns the index of the child that a sought key belongs under.
func (b *branch[K]) kid(probe func(K) int) int {
	lo, hi := 1, len(b.kids) // the first child takes all that is less
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if probe(b.keys[mid]) < 0 {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo - 1
}

// lower returns the index of the first key of a leaf that is not less than the sought one.
func (b *branch[K]) lower(probe func(K) int) int {
	lo, hi := 0, len(b.keys)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if probe(b.keys[mid]) <= 0 {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// find returns the key that the probe finds.
func (t *tree[K]) find(probe func(K) int) (key K, ok bool) {
	b := t.root
	if b == nil {
		return key, false
	}
	for b.kids != nil {
		b = b.kids[b.kid(probe)]
	}
	if i := b.lower(probe); i < len(b.keys) && probe(b.keys[i]) == 0 {
		return b.keys[i], true
	}
	return key, false
}

// ascend yields the keys from the sought one on, until yield returns false.
func (t *tree[K]) ascend(probe func(K) int, yield func(K) bool) bool {
	return t.root == nil || t.root.ascend(probe, yield)
}

func (b *branch[K]) ascend(probe func(K) int, yield func(K) bool) bool {
	if b.kids == nil {
		for _, key := range b.keys[b.lower(probe):] {
			if !yield(key) {
				return false
			}
		}
		return true
	}
	i := b.kid(probe)
	if !b.kids[i].ascend(probe, yield) {
		return false
	}
	for _, kid := range b.kids[i+1:] {
		if !kid.all(yield) {
			return false
		}
	}
	return true
}

// all yields all keys, until yield returns false.
func (t *tree[K]) all(yield func(K) bool) bool {
	return t.root == nil || t.root.all(yield)
}

func (b *branch[K]) all(yield func(K) bool) bool {
	if b.kids == nil {
		for _, key := range b.keys {
			if !yield(key) {
				return false
			}
		}
		return true
	}
	for _, kid := range b.kids {
		if !kid.all(yield) {
			return false
		}
	}
	return true
}
