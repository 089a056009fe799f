package interceptor

import (
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// plain reports whether a message keeps all of its rules, for certain and by a look at it. It
// knows those that are asked all the time, where the validator would take longer than the
// answer does; of what it does not know, and of what breaks a rule, it says no, and the
// validator says what is wrong.
func plain(message any) bool {
	switch m := message.(type) {
	case *behalfv1.CheckRequest:
		return plainQuestion(m.GetQuestion()) && plainText(m.GetAtLeastAsFresh(), 1024) && plainText(m.GetAtRevision(), 1024)
	case *behalfv1.BulkCheckRequest:
		if n := len(m.GetQuestions()); n < 1 || n > 1000 {
			return false
		}
		for _, q := range m.GetQuestions() {
			if !plainQuestion(q) {
				return false
			}
		}
		return plainText(m.GetAtLeastAsFresh(), 1024) && plainText(m.GetAtRevision(), 1024)
	case *behalfv1.AuthorizeRequest:
		if len(m.GetHeaders()) > 1024 || len(m.GetHost()) > 1024 || len(m.GetPath()) > 65536 {
			return false
		}
		for _, h := range m.GetHeaders() {
			if h == nil || h.GetName() == "" || !plainText(h.GetName(), 256) || len(h.GetValue()) > 65536 {
				return false
			}
		}
		return plainText(m.GetMethod(), 64) && plainText(m.GetScheme(), 16) && plainText(m.GetClient(), 512) && plainText(m.GetClientType(), 256)
	case *behalfv1.DecideXACMLRequest:
		_, defined := behalfv1.DecisionDoor_name[int32(m.GetDoor())]
		return defined && len(m.GetBody()) <= 4<<20 && plainText(m.GetContentType(), 256) && plainText(m.GetAtLeastAsFresh(), 1024)
	}
	return false
}

func plainQuestion(q *behalfv1.CheckQuestion) bool {
	if q == nil || q.Object == nil || !plainName(q.GetObject().GetType()) || !plainID(q.GetObject().GetId()) || !plainName(q.GetPermission()) {
		return false
	}
	s := q.GetSubject()
	return s == nil || plainName(s.GetType()) && plainID(s.GetId()) && (s.GetRelation() == "" || plainName(s.GetRelation()))
}

// plainName takes names of definitions, relations and permissions: 3 to 64 characters.
func plainName(text string) bool {
	if len(text) < 3 || len(text) > 64 || text[0] < 'a' || text[0] > 'z' || text[len(text)-1] == '_' {
		return false
	}
	for i := range len(text) {
		if c := text[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// plainID takes ids of objects.
func plainID(text string) bool {
	if text == "" || len(text) > 1024 {
		return false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '/', c == '_', c == '|', c == '-', c == '=', c == '+':
		default:
			return false
		}
	}
	return true
}

// plainText takes texts of at most so many bytes, and so of no more characters.
func plainText(text string, most int) bool {
	return len(text) <= most && strings.IndexByte(text, 0) < 0
}
