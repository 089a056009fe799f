package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// altinnServer is a running server with a register, as Altinn's clients meet it.
type altinnServer struct {
	t        *testing.T
	base     string
	dataDir  string
	grpc     string // address of the gRPC port
	conn     grpc.ClientConnInterface
	register behalfv1.RegisterServiceClient
	adminKey string
	stop     func() // stops the server and closes it
}

func startAltinnServer(t *testing.T) *altinnServer {
	t.Helper()
	return startAltinnServerIn(t, t.TempDir())
}

// startAltinnServerIn runs a server in a data directory until it is stopped or the test ends.
func startAltinnServerIn(t *testing.T, dataDir string, compat ...string) *altinnServer {
	t.Helper()
	return startAltinnServerWith(t, server.Config{DataDir: dataDir, Compat: compat})
}

// startAltinnServerWith runs a server with a configuration, on free ports.
func startAltinnServerWith(t *testing.T, cfg server.Config) *altinnServer {
	t.Helper()
	dataDir := cfg.DataDir
	cfg.GRPCAddr, cfg.HTTPAddr = "127.0.0.1:0", "127.0.0.1:0"
	s, end := running(t, cfg)
	key, err := server.ReadAdminKey(dataDir)
	if err != nil {
		t.Fatal(err)
	}
	return &altinnServer{
		t: t, base: "http://" + s.HTTPAddr(), dataDir: dataDir,
		conn:     s.Conn(),
		grpc:     s.GRPCAddr(),
		register: behalfv1.NewRegisterServiceClient(s.Conn()),
		adminKey: key,
		stop:     end,
	}
}

// admin returns the context of a write.
func (s *altinnServer) admin() context.Context {
	return metadata.AppendToOutgoingContext(s.t.Context(), "authorization", "Bearer "+s.adminKey)
}

func (s *altinnServer) party(p *behalfv1.PartyRecord) {
	s.t.Helper()
	if _, err := s.register.PutParty(s.admin(), &behalfv1.PutPartyRequest{Source: "test", Party: p}); err != nil {
		s.t.Fatalf("put party %d: %v", p.GetPartyId(), err)
	}
}

func (s *altinnServer) assign(from, role, to string) {
	s.t.Helper()
	_, err := s.register.PutAssignment(s.admin(), &behalfv1.PutAssignmentRequest{
		Source: "test", Assignment: &behalfv1.AssignmentRecord{From: from, Role: role, To: to},
	})
	if err != nil {
		s.t.Fatalf("put %s of %s to %s: %v", role, from, to, err)
	}
}

func (s *altinnServer) token(t *testing.T, claims map[string]any) string {
	t.Helper()
	token, err := server.SignToken(s.dataDir, maps.Clone(claims), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// get sends a request and returns status and body; send the headers too. Credentials are a header
// "Name: value" or nothing.
func (s *altinnServer) get(t *testing.T, method, target, credentials string) (int, string) {
	t.Helper()
	status, body, _ := s.send(t, method, target, credentials)
	return status, body
}

func (s *altinnServer) send(t *testing.T, method, target, credentials string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.base+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if name, value, ok := strings.Cut(credentials, ": "); ok {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}

// carriers are the two ways in which a browser or a program brings its token.
var carriers = []string{"Authorization: Bearer ", "Cookie: AltinnStudioRuntime="}

// conformance returns the folder of the cases that others wrote, or skips the test.
func conformance(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("BEHALF_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "conformance")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no conformance cases in %s: set BEHALF_CONFORMANCE to their folder", dir)
	}
	return dir
}

// authorizedParty is a party of a conformance world that its user may represent.
type authorizedParty struct {
	PartyID            int64
	PartyUUID          string
	Name, Type         string
	OrganizationNumber string
	PersonID           string
	UnitType           string
	AuthorizedRoles    []string
	Subunits           []authorizedParty
}

// loadAuthorizedParties makes the user able to represent every party of the file.
func (s *altinnServer) loadAuthorizedParties(file, user string) {
	s.t.Helper()
	var parties []authorizedParty
	readJSON(s.t, file, &parties)
	var userID int64
	if err := json.Unmarshal([]byte(user), &userID); err != nil {
		s.t.Fatal(err)
	}
	const holder = "party:4"
	s.party(&behalfv1.PartyRecord{
		PartyId: 4, Kind: behalfv1.PartyKind_PARTY_KIND_PERSON, Name: "BRUKER", UserId: userID, Login: true,
	})
	var load func(p authorizedParty, main string)
	load = func(p authorizedParty, main string) {
		record := &behalfv1.PartyRecord{
			PartyId: p.PartyID, PartyUuid: p.PartyUUID, Name: p.Name, OrgNumber: p.OrganizationNumber,
			NationalId: p.PersonID, UnitType: p.UnitType, MainUnit: main, Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION,
		}
		switch {
		case main != "":
			record.Kind = behalfv1.PartyKind_PARTY_KIND_SUB_UNIT
		case p.Type == "Person":
			record.Kind = behalfv1.PartyKind_PARTY_KIND_PERSON
		}
		s.party(record)
		reference := "uuid:" + p.PartyUUID
		if len(p.AuthorizedRoles) == 0 { // rights of single resources; a role stands for them
			p.AuthorizedRoles = []string{"UTINN"}
		}
		for _, role := range p.AuthorizedRoles {
			s.assign(reference, role, holder)
		}
		for _, sub := range p.Subunits {
			load(sub, reference)
		}
	}
	for _, p := range parties {
		load(p, "")
	}
}

// loadSmallRegister writes a register with one party of every kind that a list shows
// differently: user 20000490 manages a company with two sub-units, holds a role in one
// sub-unit of another, in a company that is struck off and in an estate, and manages an
// accounting firm that has a client.
func (s *altinnServer) loadSmallRegister() {
	const uuid = "6f0b1d3e-2a55-4c07-9f4e-52a0c8b1d0"
	for _, p := range []*behalfv1.PartyRecord{
		{PartyId: 50002598, PartyUuid: uuid + "01", Kind: behalfv1.PartyKind_PARTY_KIND_PERSON, Name: "KARI BØRSTAD", NationalId: "07124912037", UserId: 20000490, Login: true},
		{PartyId: 50076451, PartyUuid: uuid + "02", Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION, Name: "FJELLHEIM OG STRAND", OrgNumber: "910042963", UnitType: "AS"},
		{PartyId: 50074838, PartyUuid: uuid + "03", Kind: behalfv1.PartyKind_PARTY_KIND_SUB_UNIT, Name: "ÅSEN OG TÅRNÅSEN", OrgNumber: "910042971", UnitType: "BEDR", MainUnit: "party:50076451"},
		{PartyId: 50074839, PartyUuid: uuid + "04", Kind: behalfv1.PartyKind_PARTY_KIND_SUB_UNIT, Name: "ØYA & VARTDAL", OrgNumber: "910042998", UnitType: "AAFY", MainUnit: "party:50076451"},
		{PartyId: 50090001, PartyUuid: uuid + "05", Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION, Name: "HOVEDENHET UTEN TILGANG", OrgNumber: "910090011", UnitType: "ASA"},
		{PartyId: 50090002, PartyUuid: uuid + "06", Kind: behalfv1.PartyKind_PARTY_KIND_SUB_UNIT, Name: "UNDERENHET MED TILGANG", OrgNumber: "910090022", UnitType: "BEDR", MainUnit: "party:50090001"},
		{PartyId: 50090007, PartyUuid: uuid + "07", Kind: behalfv1.PartyKind_PARTY_KIND_SUB_UNIT, Name: "UNDERENHET UTEN TILGANG", OrgNumber: "910090077", UnitType: "BEDR", MainUnit: "party:50090001"},
		{PartyId: 50090003, PartyUuid: uuid + "08", Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION, Name: "NEDLAGT HANDEL", OrgNumber: "910090033", UnitType: "AS", DeletedOn: "2024-03-01"},
		{PartyId: 50090004, PartyUuid: uuid + "09", Kind: behalfv1.PartyKind_PARTY_KIND_BANKRUPTCY_ESTATE, Name: "VIK VERKSTED AS KONKURSBO", OrgNumber: "910090044", UnitType: "KBO"},
		{PartyId: 50090005, PartyUuid: uuid + "10", Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION, Name: "TALL OG TAKST REGNSKAP", OrgNumber: "910090055", UnitType: "AS"},
		{PartyId: 50090006, PartyUuid: uuid + "11", Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION, Name: "KUNDEN HANDEL", OrgNumber: "910090066", UnitType: "AS"},
	} {
		s.party(p)
	}
	const kari = "party:50002598"
	s.assign("party:50076451", "DAGL", kari)
	s.assign("party:50090002", "UTINN", kari)
	s.assign("party:50090003", "LEDE", kari)
	s.assign("party:50090004", "BOBE", kari)
	s.assign("party:50090005", "DAGL", kari)
	s.assign("party:50090006", "REGN", "party:50090005")
}

func readJSON(t *testing.T, file string, v any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// sortedJSON returns a JSON text with the keys of its objects in order.
func sortedJSON(t *testing.T, text string) string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return marshalSorted(t, v)
}

func marshalSorted(t *testing.T, v any) string {
	t.Helper()
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
