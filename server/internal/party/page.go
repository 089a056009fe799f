package party

// page is which part of a list is asked for.
type page struct {
	query fingerprint
	from  cursor // without an id for the first page
	size  int    // 0 for all
}

// newPage reads a token before anything is computed for it.
func newPage(query fingerprint, token string, size int) (page, error) {
	if token == "" {
		return page{query: query, size: size}, nil
	}
	from, err := parsePageToken(query, token)
	if err != nil {
		return page{}, err
	}
	return page{query: query, from: from, size: size}, nil
}

// nextToken returns the token that goes on after a page of a list.
func nextToken[T any](p page, o *ordered[T], list []spot[T], more bool) string {
	if !more {
		return ""
	}
	return pageToken(p.query, cursor{begun: p.from.begun, after: o.at(list[len(list)-1].of)})
}
