package records

import (
	"strconv"
	"strings"
)

// Postgres returns the text of a statement of this package in the words of Postgres. The
// texts are written so that nothing differs but the placeholders and how a list is read.
func Postgres(text string) string {
	text = strings.ReplaceAll(text, inList, "= ANY (SELECT value::bigint FROM jsonb_array_elements_text(?::jsonb) AS list (value))")
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(text, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		text = after
	}
}
