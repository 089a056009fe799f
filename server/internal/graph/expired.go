package graph

import (
	"slices"
	"time"
)

// Expired returns the tuples that had expired by an instant. It goes over the whole graph.
func (s *Snapshot) Expired(by time.Time) []Tuple {
	var all []Tuple
	for t := range s.Query(Query{Expiry: Present}) {
		if t.expired(by) {
			all = append(all, t)
		}
	}
	return all
}

func (t *Tuple) expired(by time.Time) bool { return !t.Expires.IsZero() && !t.Expires.After(by) }

// DeleteExpired deletes those of the tuples that had expired by an instant as they are now: any may
// have been written again since it was found.
func (tx *Tx) DeleteExpired(found []Tuple, by time.Time) error {
	now := tx.View()
	for i := range found {
		f := &found[i]
		for _, t := range slices.Collect(now.Query(Query{
			ResourceType: f.Resource.Type, ResourceIDs: []string{f.Resource.ID}, Relation: f.Relation,
			Subjects: []Subjects{{
				Type: f.Subject.Type, IDs: []string{f.Subject.ID}, Plain: f.Subject.Relation == "", Relation: f.Subject.Relation,
			}},
		})) {
			if !t.expired(by) {
				continue
			}
			if _, err := tx.Delete(t); err != nil {
				return err
			}
		}
	}
	return nil
}
