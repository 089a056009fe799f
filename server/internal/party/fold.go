package party

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold returns the words of a text for search: lower case, without accents, each with
// one space before it, so that a word begins with w where the folded text holds " "+w.
// Everything but letters and digits separates words.
func fold(text string) string {
	var b strings.Builder
	b.Grow(len(text) + 1)
	between := true
	for _, r := range norm.NFKD.String(text) {
		switch {
		case unicode.Is(unicode.Mn, r): // an accent, parted from its letter by NFKD
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if between {
				b.WriteByte(' ')
				between = false
			}
			writeFolded(&b, unicode.ToLower(r))
		default:
			between = true
		}
	}
	return b.String()
}

// writeFolded writes a lower-case letter. The letters named here carry a stroke or join
// two letters, which no decomposition parts.
func writeFolded(b *strings.Builder, r rune) {
	switch r {
	case 'ø':
		b.WriteByte('o')
	case 'æ':
		b.WriteString("ae")
	case 'œ':
		b.WriteString("oe")
	case 'ß':
		b.WriteString("ss")
	case 'đ', 'ð':
		b.WriteByte('d')
	case 'þ':
		b.WriteString("th")
	case 'ł':
		b.WriteByte('l')
	case 'ŧ':
		b.WriteByte('t')
	case 'ŋ':
		b.WriteByte('n')
	default:
		b.WriteRune(r)
	}
}

// search is a parsed search text. The zero search finds every party.
type search struct {
	words  []string // each with a space before it; each begins a word of the name
	number string   // begins the organisation number; empty when the text is no number
}

// newSearch parses what somebody typed.
func newSearch(text string) search {
	var s search
	for word := range strings.FieldsSeq(fold(text)) {
		s.words = append(s.words, " "+word)
	}
	number := strings.Join(strings.Fields(text), "")
	if number != "" && strings.Trim(number, "0123456789") == "" {
		s.number = number
	}
	return s
}

// normal is one text for all searches that find the same.
func (s search) normal() string { return strings.Join(s.words, "") + "\x00" + s.number }

// finds reports whether the record is one the search is after. A party without a record
// has neither name nor number and is found by the empty search only.
func (s search) finds(r *record) bool {
	if len(s.words) == 0 {
		return true
	}
	if r == nil {
		return false
	}
	if s.number != "" && strings.HasPrefix(r.text(orgNumberText), s.number) {
		return true
	}
	folded := r.text(wordsText)
	for _, word := range s.words {
		if !strings.Contains(folded, word) {
			return false
		}
	}
	return true
}
