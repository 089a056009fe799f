package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// The users of the world of lists: who leads a firm that keeps the books of so many parties.
var listSizes = []int{1, 10_000, 100_000}

// listWorld is a running server whose user n+1 may act for listSizes[n] parties, himself and
// the firm that he leads included.
type listWorld struct {
	b       *testing.B
	base    string
	admin   context.Context //nolint:containedctx // of a benchmark, for its calls
	conn    *grpc.ClientConn
	dataDir string
	client  *http.Client
}

func newListWorld(b *testing.B) *listWorld {
	b.Helper()
	dir := b.TempDir()
	s, err := server.New(b.Context(), server.Config{
		DataDir: dir, GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, s.Close()); err != nil {
			b.Error(err)
		}
	})
	key, err := server.ReadAdminKey(dir)
	if err != nil {
		b.Fatal(err)
	}
	conn, err := grpc.NewClient(s.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	w := &listWorld{
		b: b, base: "http://" + s.HTTPAddr(), dataDir: dir, conn: conn, client: http.DefaultClient,
		admin: metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+key),
	}
	w.fill(behalfv1.NewRegisterServiceClient(s.Conn()))
	return w
}

var (
	firstWords  = strings.Fields("SKROVA TÅRNÅSEN ØYER MORENE ZEBRA ÅL VÅGÅ LOM SKJÅK BØRSTAD NORDRE VESTRE SØNDRE GAMLE NYE STORE")
	secondWords = strings.Fields("BYGG REGNSKAP TRANSPORT FISK ENERGI HANDEL SKOG DATA KAFE EIENDOM MASKIN ELEKTRO RØR BETONG")
)

// fill imports the users, their firms and those whose books they keep.
func (w *listWorld) fill(register behalfv1.RegisterServiceClient) {
	var entries []*behalfv1.ImportEntry
	party := func(p *behalfv1.PartyRecord) {
		entries = append(entries, &behalfv1.ImportEntry{Entry: &behalfv1.ImportEntry_Party{Party: p}})
	}
	assign := func(from int, role string, to int) {
		entries = append(entries, &behalfv1.ImportEntry{Entry: &behalfv1.ImportEntry_Assignment{Assignment: &behalfv1.AssignmentRecord{
			From: fmt.Sprintf("party:%d", from), Role: role, To: fmt.Sprintf("party:%d", to),
		}}})
	}
	next := 1000
	for i, size := range listSizes {
		user := i + 1
		party(&behalfv1.PartyRecord{PartyId: int64(user), Kind: behalfv1.PartyKind_PARTY_KIND_PERSON, Name: fmt.Sprintf("KASPER BØRSTAD %d", i),
			NationalId: fmt.Sprintf("0101900000%d", i), UserId: int64(user), Login: true})
		if size == 1 {
			continue
		}
		firm := 100 + i
		party(&behalfv1.PartyRecord{PartyId: int64(firm), Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION, Name: fmt.Sprintf("REGNSKAP %d AS", i),
			OrgNumber: fmt.Sprintf("98000000%d", i), UnitType: "AS"})
		assign(firm, "DAGL", user)
		for j := range size - 2 {
			id := next
			next++
			p := &behalfv1.PartyRecord{PartyId: int64(id), Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION, UnitType: "AS",
				Name:      fmt.Sprintf("%s %s %d AS", firstWords[id*7919%len(firstWords)], secondWords[id*104729%len(secondWords)], id*31337%99991),
				OrgNumber: fmt.Sprint(910_000_000 + (id*7907)%10_000_000)}
			if j%10 == 9 { // a sub-unit of the one before
				p.Kind, p.UnitType, p.MainUnit = behalfv1.PartyKind_PARTY_KIND_SUB_UNIT, "BEDR", fmt.Sprintf("party:%d", id-1)
				party(p)
				continue
			}
			party(p)
			assign(id, "REGN", firm)
		}
	}
	stream, err := register.Import(w.admin)
	if err != nil {
		w.b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { // or the server's reports fill the stream
		for {
			if _, err := stream.Recv(); err != nil {
				done <- err
				return
			}
		}
	}()
	err = stream.Send(&behalfv1.ImportRequest{Message: &behalfv1.ImportRequest_Header{Header: &behalfv1.ImportHeader{Sources: []string{"test"}}}})
	for at := 0; at < len(entries) && err == nil; at += 1000 {
		err = stream.Send(&behalfv1.ImportRequest{Message: &behalfv1.ImportRequest_Batch{Batch: &behalfv1.ImportBatch{
			Source: "test", Entries: entries[at:min(at+1000, len(entries))],
		}}})
	}
	if err := errors.Join(err, stream.CloseSend()); err != nil {
		w.b.Fatal(err)
	}
	if err := <-done; !errors.Is(err, io.EOF) {
		w.b.Fatal(err)
	}
}

// token returns the credentials of a user.
func (w *listWorld) token(user int) string {
	token, err := server.SignToken(w.dataDir, map[string]any{"urn:altinn:userid": user, "urn:altinn:authlevel": 3}, time.Hour)
	if err != nil {
		w.b.Fatal(err)
	}
	return token
}

// get reads an answer on Altinn's path.
func (w *listWorld) get(token, target string, body io.Writer) {
	r, err := http.NewRequestWithContext(w.b.Context(), http.MethodGet, w.base+target, nil)
	if err != nil {
		w.b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := w.client.Do(r)
	if err != nil {
		w.b.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err = io.Copy(body, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		w.b.Fatal(answer.Status, err)
	}
}

// write adds a party to the list of a user, or takes it away again.
func (w *listWorld) write(i, user int) {
	op := v1.RelationshipUpdate_OPERATION_TOUCH
	if i%2 == 1 {
		op = v1.RelationshipUpdate_OPERATION_DELETE
	}
	_, err := v1.NewPermissionsServiceClient(w.conn).WriteRelationships(w.admin, &v1.WriteRelationshipsRequest{Updates: []*v1.RelationshipUpdate{{
		Operation: op, Relationship: &v1.Relationship{
			Resource: &v1.ObjectReference{ObjectType: "party", ObjectId: "7777777"}, Relation: "dagl",
			Subject: &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: fmt.Sprint(user)}},
		},
	}}})
	if err != nil {
		w.b.Fatal(err)
	}
}

// cpu measures the processor time of all threads, the client's share included.
func cpu(b *testing.B) func() {
	spent := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	b.ReportAllocs()
	start := spent()
	return func() { b.ReportMetric(float64((spent()-start).Microseconds())/float64(b.N), "cpu-us/op") }
}

// BenchmarkLists asks a running server for lists of parties, in all forms.
func BenchmarkLists(b *testing.B) {
	w := newListWorld(b)
	parties := behalfv1.NewPartyServiceClient(w.conn)
	list := func(r *behalfv1.ListPartiesRequest) *behalfv1.ListPartiesResponse {
		got, err := parties.ListParties(w.admin, r)
		if err != nil {
			b.Fatal(err)
		}
		return got
	}
	for i, size := range listSizes {
		user, token := i+1, w.token(i+1)
		target := fmt.Sprintf("/authorization/api/v1/parties?userid=%d", user)
		name := func(what string) string { return fmt.Sprintf("%s/%d", what, size) }
		if size <= 10_000 {
			b.Run(name("altinn"), func(b *testing.B) {
				defer cpu(b)()
				for b.Loop() {
					w.get(token, target, io.Discard)
				}
			})
			b.Run(name("marshal"), func(b *testing.B) {
				var body bytes.Buffer
				w.get(token, target, &body)
				ready := readyParties(b, body.Bytes())
				defer cpu(b)()
				for b.Loop() {
					if _, err := json.Marshal(ready); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(name("grpc"), func(b *testing.B) {
				defer cpu(b)()
				for b.Loop() {
					if got := list(&behalfv1.ListPartiesRequest{UserId: int64(user)}); len(got.GetParties()) != size {
						b.Fatal(len(got.GetParties()))
					}
				}
			})
		}
		b.Run(name("altinn-page"), func(b *testing.B) {
			defer cpu(b)()
			for b.Loop() {
				w.get(token, target+"&limit=50", io.Discard)
			}
		})
		b.Run(name("altinn-page-writes"), func(b *testing.B) {
			defer cpu(b)()
			for i := 0; b.Loop(); i++ {
				w.write(i, 7777777)
				w.get(token, target+"&limit=50", io.Discard)
			}
		})
		b.Run(name("altinn-page-changed"), func(b *testing.B) {
			defer cpu(b)()
			for i := 0; b.Loop(); i++ {
				w.write(i, user)
				w.get(token, target+"&limit=50", io.Discard)
			}
			w.write(1, user)
		})
		b.Run(name("grpc-page"), func(b *testing.B) {
			next := list(&behalfv1.ListPartiesRequest{UserId: int64(user), PageSize: 50}).GetNextPageToken()
			defer cpu(b)()
			for b.Loop() {
				list(&behalfv1.ListPartiesRequest{UserId: int64(user), PageSize: 50, PageToken: next})
			}
		})
		b.Run(name("search"), func(b *testing.B) {
			defer cpu(b)()
			for b.Loop() {
				list(&behalfv1.ListPartiesRequest{UserId: int64(user), PageSize: 50, Search: "vaga fisk"})
			}
		})
		b.Run(name("lookup-page"), func(b *testing.B) {
			r := &v1.LookupResourcesRequest{
				Consistency:        &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
				ResourceObjectType: "party", Permission: "represent", OptionalLimit: 100,
				Subject: &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: fmt.Sprint(user)}},
			}
			r.OptionalCursor = w.lookup(r)
			defer cpu(b)()
			for b.Loop() {
				w.lookup(r)
			}
		})
	}
}
