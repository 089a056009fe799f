package behalf

import "iter"

const defaultPage = 1000

// pages yields the entries of all pages that fetch returns. Each reading begins anew.
func pages[E any](size int, fetch func(size int32, token string) ([]E, string, error)) iter.Seq2[E, error] {
	if size <= 0 {
		size = defaultPage
	}
	return func(yield func(E, error) bool) {
		for token := ""; ; {
			entries, next, err := fetch(int32(size), token)
			if err != nil {
				var none E
				yield(none, err)
				return
			}
			for _, entry := range entries {
				if !yield(entry, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			token = next
		}
	}
}

// Collect reads a list to its end. On an error it returns none of it, so that nobody takes a part
// for the whole.
func Collect[E any](list iter.Seq2[E, error]) ([]E, error) {
	var all []E
	for entry, err := range list {
		if err != nil {
			return nil, err
		}
		all = append(all, entry)
	}
	return all, nil
}
