package party

import (
	"bytes"
	"sync"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// maxKey bounds a collation key, so that a page token that carries one stays short.
// Names that agree for so long are ordered by party id.
const maxKey = 1024

// collation makes sort keys: texts in Norwegian order have keys in the order of their bytes.
type collation struct{ pool sync.Pool }

// keyMaker is what one goroutine makes keys with; neither part may be shared.
type keyMaker struct {
	collator *collate.Collator
	buffer   collate.Buffer
}

func newCollation() *collation {
	return &collation{pool: sync.Pool{New: func() any {
		// The tables have Norwegian order under nn only: under nb and no they hold the
		// root order, which sorts Å with A and Ø with O. Both written forms share one alphabet.
		return &keyMaker{collator: collate.New(language.MustParse("nn"), collate.IgnoreCase)}
	}}}
}

// key returns the sort key of a text.
func (c *collation) key(text string) string {
	m := c.pool.Get().(*keyMaker) //nolint:forcetypeassert // the pool's New makes nothing else
	defer c.pool.Put(m)
	m.buffer.Reset()
	key := m.collator.KeyFromString(&m.buffer, text)
	// A key is letters, 00 00, accents. Letters without accent have the least weight 00 20:
	// at the end it decides nothing, and without it most keys are half as long.
	for bytes.HasSuffix(key, []byte{0x00, 0x20}) {
		key = key[:len(key)-2]
	}
	key = bytes.TrimSuffix(key, []byte{0x00, 0x00})
	return string(key[:min(len(key), maxKey)])
}
