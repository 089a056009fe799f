package party

import "slices"

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

// pageOf sorts a list and returns the page of it, with the token that goes on after it.
func pageOf[T any](list []T, at func(T) position, p page) ([]T, string) {
	slices.SortFunc(list, func(a, b T) int { return at(a).compare(at(b)) })
	if p.from.after.id != 0 {
		i, found := slices.BinarySearchFunc(list, p.from.after, func(e T, after position) int { return at(e).compare(after) })
		if found {
			i++
		}
		list = list[i:]
	}
	if p.size == 0 || len(list) <= p.size {
		return list, ""
	}
	list = list[:p.size]
	return list, pageToken(p.query, cursor{begun: p.from.begun, after: at(list[p.size-1])})
}
