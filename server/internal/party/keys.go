package party

import "hash/maphash"

// keys finds parties by one of their texts. It keeps the texts' hashes alone: a country has millions,
// and the records have the texts. What a hash finds is compared with its record, and those few keys
// whose hash another key has are kept as they are. The directory's lock guards it.
type keys struct {
	text    int // of a record: its key
	records map[ID]*record
	hash    func(string) uint64
	byHash  map[uint64]ID
	others  map[string]ID // whose hash is another key's
}

func newKeys(text int, records map[ID]*record) *keys {
	seed := maphash.MakeSeed()
	return &keys{
		text: text, records: records, hash: func(key string) uint64 { return maphash.String(seed, key) },
		byHash: map[uint64]ID{}, others: map[string]ID{},
	}
}

// find returns the party that has a key, 0 for none.
func (k *keys) find(key string) ID {
	if id, ok := k.byHash[k.hash(key)]; ok && k.has(id, key) {
		return id
	}
	return k.others[key]
}

func (k *keys) has(id ID, key string) bool {
	r := k.records[id]
	return r != nil && r.text(k.text) == key
}

// add has a record's key lead to it, whomever it led to before.
func (k *keys) add(r *record) {
	key := r.text(k.text)
	if key == "" {
		return
	}
	h := k.hash(key)
	if id, taken := k.byHash[h]; taken && !k.has(id, key) {
		k.others[key] = r.id
		return
	}
	k.byHash[h] = r.id
	delete(k.others, key)
}

// remove has a record's key lead nowhere, unless it leads to another party by now.
func (k *keys) remove(r *record) {
	key := r.text(k.text)
	if h := k.hash(key); k.byHash[h] == r.id {
		delete(k.byHash, h)
	}
	if k.others[key] == r.id {
		delete(k.others, key)
	}
}
