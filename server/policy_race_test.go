package server_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// TestPolicyWritersDoNotOverwriteEachOther has several writers change one policy, each only
// when it is as he has last seen it: none of the changes that were taken is lost, and every
// reader sees a text that its revision names.
func TestPolicyWritersDoNotOverwriteEachOther(t *testing.T) {
	const writers, rounds = 4, 8
	dir := t.TempDir()
	s, err := server.OpenLocal(t.Context(), server.Config{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	conn, err := s.Conn()
	if err != nil {
		t.Fatal(err)
	}
	policies, ref := behalfv1.NewPolicyServiceClient(conn), &behalfv1.PolicyRef{Resource: "contended"}
	text := func(n, writer int) []byte { return fmt.Appendf(nil, "%s<!-- %d by %d -->", smallPolicy, n, writer) }
	if _, err := policies.PutPolicy(t.Context(), &behalfv1.PutPolicyRequest{Ref: ref, Text: text(0, 0)}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for writer := range writers {
		wg.Go(func() {
			for done := 0; done < rounds; {
				now, err := policies.GetPolicy(t.Context(), &behalfv1.GetPolicyRequest{Ref: ref})
				if err != nil {
					t.Error(err)
					return
				}
				var n int
				_, comment, _ := strings.Cut(string(now.GetText()), "<!-- ")
				if _, err := fmt.Sscan(comment, &n); err != nil {
					t.Errorf("%v in %q", err, comment)
					return
				}
				_, err = policies.PutPolicy(t.Context(), &behalfv1.PutPolicyRequest{Ref: ref, Text: text(n+1, writer), IfMatch: now.GetPolicy().GetEtag()})
				switch status.Code(err) {
				case codes.OK:
					done++
				case codes.FailedPrecondition: // somebody was faster
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	now, err := policies.GetPolicy(t.Context(), &behalfv1.GetPolicyRequest{Ref: ref})
	if err != nil || !strings.Contains(string(now.GetText()), fmt.Sprintf("<!-- %d by", writers*rounds)) {
		t.Errorf("in the end %s, %v", now.GetText(), err)
	}
	history, err := policies.ListPolicyHistory(t.Context(), &behalfv1.ListPolicyHistoryRequest{Ref: ref, PageSize: 1000})
	if err != nil || len(history.GetChanges()) != writers*rounds+1 {
		t.Errorf("%d changes, %v", len(history.GetChanges()), err)
	}
}
