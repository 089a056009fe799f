package records_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/records"
)

func TestPolicies(t *testing.T) {
	hash := strings.Repeat("0a", 32)
	text := []byte("\xef\xbb\xbf<Policy/>\x00\xff")
	made := time.Date(2026, 11, 21, 12, 0, 0, 123456000, time.UTC)
	put := records.PolicyChange{Ref: "app_skd_a", Number: 1, Kind: "put", Hash: hash, AnyOf: true, Made: made, By: "æ"}
	gone := records.PolicyChange{Ref: "app_skd_a", Number: 2, Kind: "delete", Made: made}
	other := records.PolicyChange{Ref: "type/a", Number: 1, Kind: "put", Hash: hash, Made: made}
	stores(t, func(t *testing.T, s *records.Store) {
		ctx := t.Context()
		if got, err := s.PolicyText(ctx, hash); got != nil || err != nil {
			t.Fatalf("PolicyText = %q, %v before it was put", got, err)
		}
		for _, again := range [][]byte{text, []byte("another")} { // the first one stays
			if err := s.PutPolicyText(ctx, hash, again); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.PolicyText(ctx, hash); string(got) != string(text) || err != nil {
			t.Errorf("PolicyText = %q, %v", got, err)
		}
		for _, c := range []records.PolicyChange{put, gone, other} {
			c.Number = 0 // which is given
			if err := s.Write(ctx, func(ctx context.Context, tx *records.Tx) error { return tx.AddPolicyChange(ctx, c) }); err != nil {
				t.Fatal(err)
			}
		}
		err := s.Read(ctx, func(tx *records.Tx) error {
			for _, c := range []struct {
				ref    string
				before int64
				limit  int
				want   []records.PolicyChange
			}{
				{"app_skd_a", 0, 10, []records.PolicyChange{gone, put}},
				{"app_skd_a", 0, 1, []records.PolicyChange{gone}},
				{"app_skd_a", 2, 10, []records.PolicyChange{put}},
				{"app_skd_a", 1, 10, nil},
				{"type/a", 0, 10, []records.PolicyChange{other}},
				{"type/b", 0, 10, nil},
			} {
				got, err := tx.PolicyChanges(ctx, c.ref, c.before, c.limit)
				if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
					t.Errorf("%s before %d: %v\n%s", c.ref, c.before, err, diff)
				}
			}
			size, err := tx.PolicySize(ctx, hash)
			if size != int64(len(text)) || err != nil {
				t.Errorf("PolicySize = %d, %v", size, err)
			}
			none, err := tx.PolicySize(ctx, strings.Repeat("0b", 32))
			if none != 0 {
				t.Errorf("PolicySize of nothing = %d", none)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
