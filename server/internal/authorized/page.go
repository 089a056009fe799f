package authorized

import (
	"cmp"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
)

// place is where an entry stands in the list: the subject's own party first, then by id.
type place struct {
	rank int // 1 for the subject's own, 2 for all others; 0 before all
	id   party.ID
}

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.rank, q.rank), cmp.Compare(p.id, q.id))
}

func (q Query) order(e Entry) place {
	if q.Subject.User != 0 && e.Party.UserID == q.Subject.User || q.Subject.Organisation != 0 && e.Party.ID == q.Subject.Organisation {
		return place{1, e.Party.ID}
	}
	return place{2, e.Party.ID}
}

// position reads the place after which the page begins.
func (q Query) position() (place, error) {
	if q.PageToken == "" {
		return place{}, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(q.PageToken)
	if err == nil {
		rank, id, _ := strings.Cut(string(text), "/")
		r, rankErr := strconv.Atoi(rank)
		n, idErr := strconv.ParseInt(id, 10, 64)
		if rankErr == nil && idErr == nil && (r == 1 || r == 2) {
			return place{r, party.ID(n)}, nil
		}
	}
	e := fault.Field("page_token", "is not one that this list gave")
	e.Reason = fault.ReasonInvalidPageToken
	return place{}, e
}

func (p place) token() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(p.rank) + "/" + strconv.FormatInt(int64(p.id), 10)))
}

// page cuts the page after a place. Pages are cut by place, not by count: a party that is in
// the list throughout is on exactly one page.
func (q Query) page(all []Entry, after place) (entries []Entry, next string) {
	for len(all) > 0 && q.order(all[0]).compare(after) <= 0 {
		all = all[1:]
	}
	if q.PageSize == 0 || len(all) <= q.PageSize {
		return all, ""
	}
	all = all[:q.PageSize]
	return all, q.order(all[len(all)-1]).token()
}
