package altinn

import (
	"regexp"
	"strconv"
)

var uuidText = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

func isUUID(text string) bool { return uuidText.MatchString(text) }

func isDigits(text string, n int) bool {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(text) == n
}

// readID returns a party's or user's number, 0 for a text that is none.
func readID(text string) int64 {
	id, err := strconv.ParseInt(text, 10, 32)
	if err != nil || id < 0 {
		return 0
	}
	return id
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
