package deploy_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// field is a header, or one of those that HTTP/2 has for a request's line.
type field struct{ name, value string }

// request2 is a request over HTTP/2, which has no lines: gateways write one of HTTP/1.1 of it
// for the service, so that a line break in a field may begin another line there.
type request2 struct {
	what   string
	line   []field // in the place of what asks for path
	path   string
	fields []field
	body   string
	known  bool
	must   string // as of row
}

const inject = " HTTP/1.1\r\nHost: a\r\n\r\nGET /open/admin"

var hygiene2 = []request2{
	{what: "known", path: "/me", known: true, must: "pass"},
	{what: "nobody", path: "/me", must: "stay out"},
	{what: "user", path: "/me", fields: []field{{"behalf-user", "1"}}, known: true, must: "pass"},
	{what: "user, twice", path: "/me", fields: []field{{"behalf-user", "1"}, {"behalf-user", "2"}}, known: true, must: "pass"},
	{what: "user in upper case", path: "/me", fields: []field{{"Behalf-User", "1"}}, known: true},
	{what: "alias of user", path: "/me", fields: []field{{"behalf_user", "1"}}, known: true},
	{what: "user is hop-by-hop", path: "/me", fields: []field{{"connection", "behalf-user"}}, known: true},
	{what: "user by a line break", path: "/me", fields: []field{{"x-a", "1\r\nBehalf-User: 1"}}, known: true},
	{what: "user by a line feed", path: "/open/a", fields: []field{{"x-a", "1\nBehalf-User: 1"}}},
	{what: "user by a return", path: "/open/a", fields: []field{{"x-a", "1\rBehalf-User: 1"}}},
	{what: "user by a line break in a name", path: "/open/a", fields: []field{{"x-a: 1\r\nbehalf-user", "1"}}},
	{what: "name with a colon", path: "/open/a", fields: []field{{"behalf-user:", "1"}}},
	{what: "name with a space", path: "/open/a", fields: []field{{"behalf-user ", "1"}}},
	{what: "party asked for twice", path: "/act", fields: []field{{"behalf-party", "50076451"}, {"behalf-party", "50090001"}}, known: true, must: "stay out"},
	{what: "two parties in cookies", path: "/act", fields: []field{{"cookie", "AltinnPartyId=50076451"}, {"cookie", "AltinnPartyId=50090001"}}, known: true, must: "stay out"},
	{what: "dot dot", path: "/open/../me", must: "stay out"},
	{what: "escaped slash", path: "/open%2fadmin", must: "stay out"},
	{what: "empty segment", path: "//open/admin", must: "stay out"},
	{what: "no slash", path: "open/admin", must: "stay out"},
	{what: "no path", path: "", must: "stay out"},
	{what: "absolute target", path: "https://other.example.com/x", must: "stay out"},
	{what: "fragment", path: "/open/admin#/a"},
	{what: "request in the path", path: "/open/a" + inject},
	{what: "space in the path", path: "/open/a /open/admin"},
	{what: "path twice", line: []field{{":method", "GET"}, {":scheme", "https"}, {":authority", "HOST"}, {":path", "/open/a"}, {":path", "/open/admin"}}},
	{what: "path after a header", line: []field{{":method", "GET"}, {":scheme", "https"}, {":authority", "HOST"}, {"x-a", "1"}, {":path", "/open/a"}}},
	{what: "method twice", line: []field{{":method", "GET"}, {":method", "DELETE"}, {":scheme", "https"}, {":authority", "HOST"}, {":path", "/docs/a"}}, known: true},
	{what: "request in the method", line: []field{{":method", "GET /open/a" + inject + "\r\n"}, {":scheme", "https"}, {":authority", "HOST"}, {":path", "/open/a"}}},
	{what: "unknown part of the line", line: []field{{":method", "GET"}, {":scheme", "https"}, {":authority", "HOST"}, {":path", "/open/a"}, {":behalf-user", "1"}}},
	{what: "protocol", line: []field{{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "https"}, {":authority", "HOST"}, {":path", "/open/admin"}}, must: "stay out"},
	{what: "scheme of a path", line: []field{{":method", "GET"}, {":scheme", "https://other.example.com/x?"}, {":authority", "HOST"}, {":path", "/x"}}},
	{what: "host and another authority", line: []field{{":method", "GET"}, {":scheme", "https"}, {":authority", "HOST"}, {":path", "/x"}, {"host", "other.example.com"}}},
	{what: "authority and another host", line: []field{{":method", "GET"}, {":scheme", "https"}, {":authority", "other.example.com"}, {":path", "/x"}, {"host", "HOST"}}},
	{what: "two hosts", line: []field{{":method", "GET"}, {":scheme", "https"}, {":path", "/x"}, {"host", "HOST"}, {"host", "other.example.com"}}},
	{what: "authority with a user", line: []field{{":method", "GET"}, {":scheme", "https"}, {":authority", "HOST@other.example.com"}, {":path", "/x"}}, must: "stay out"},
	{what: "authority by a line break", line: []field{{":method", "GET"}, {":scheme", "https"}, {":authority", "HOST\r\nBehalf-User: 1"}, {":path", "/open/a"}}},
	{what: "coding of HTTP/1.1", line: post, fields: []field{{"transfer-encoding", "chunked"}}, body: "0\r\n\r\nGET /open/admin HTTP/1.1\r\nHost: a\r\n\r\n"},
	{what: "length that is short", line: post, fields: []field{{"content-length", "0"}}, body: "GET /open/admin HTTP/1.1\r\nHost: a\r\n\r\n"},
	{what: "a request as the body", line: post, body: "GET /open/admin HTTP/1.1\r\nHost: a\r\n\r\n", must: "pass"},
}

var post = []field{{":method", "POST"}, {":scheme", "https"}, {":authority", "HOST"}, {":path", "/open/a"}}

// TestHygieneOverHTTP2 sends each through the gateways. What the service sees, it must see
// once, and be told who really asks.
func TestHygieneOverHTTP2(t *testing.T) {
	w := startWorld(t, "", "")
	for _, g := range gateways {
		t.Run(g.name, func(t *testing.T) {
			s, service := newSetup(t), startUpstream(t)
			s.behalf, s.service = w.http, service.address
			door := g.start(t, s, nil)
			var text strings.Builder
			table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
			statuses := make([]int, len(hygiene2))
			for i, r := range hygiene2 {
				r.fields = append(slices.Clone(r.fields), field{mark, strconv.Itoa(i)})
				var err error
				if statuses[i], err = door.exchange2(r, w.kari); err != nil {
					t.Fatal(err)
				}
			}
			passed := marked(t, service.all())
			for i, r := range hygiene2 {
				as := row{must: r.must}
				if r.known {
					as.as = "Kari"
				}
				fault := as.fault(statuses[i], passed[i])
				fmt.Fprintln(table, r.what+"\t"+outcome(statuses[i], passed[i])+"\t"+fault)
				if fault != "" {
					t.Errorf("%s: %s", r.what, fault)
				}
			}
			_ = table.Flush()
			t.Logf("%d requests over HTTP/2\n%s", len(hygiene2), text.String())
		})
	}
}

// mark is a header that says which row a request is. A gateway may end a connection while it
// passes the request on, so that the service sees it later than the client is told.
const mark = "x-row"

// marked returns the requests that the service has had, by their rows. One without a row, or
// of a row that it has had already, was made of another request's text.
func marked(t *testing.T, all []seen) map[int]*seen {
	t.Helper()
	of := make(map[int]*seen, len(all))
	for _, s := range all {
		i, err := strconv.Atoi(strings.Join(s.Headers.Values(mark), ","))
		if err != nil || of[i] != nil {
			t.Errorf("the service has had one request more: %s %s %v", s.Method, s.Target, s.Headers)
			continue
		}
		of[i] = &s
	}
	return of
}

// exchange2 sends a request as it is, and returns the status, 0 when there is none.
func (g *gateway) exchange2(r request2, bearer string) (int, error) {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", g.address, &tls.Config{RootCAs: g.trust, NextProtos: []string{"h2"}})
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	if conn.ConnectionState().NegotiatedProtocol != "h2" {
		return 0, errors.New("the gateway speaks no HTTP/2")
	}
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return 0, err
	}
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		return 0, err
	}
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := framer.WriteSettings(); err != nil {
		return 0, err
	}
	if err := framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, BlockFragment: g.block(r, bearer), EndHeaders: true, EndStream: r.body == "",
	}); err != nil {
		return 0, err
	}
	if r.body != "" {
		if err := framer.WriteData(1, true, []byte(r.body)); err != nil {
			return 0, err
		}
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil { // closed, or out of patience: no answer
			return 0, nil
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = framer.WriteSettingsAck() // the next read tells if it could not
			}
		case *http2.MetaHeadersFrame:
			var status int
			_, err := fmt.Sscan(f.PseudoValue("status"), &status)
			return status, err
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return 0, nil
		}
	}
}

// block returns the request's fields as they are sent.
func (g *gateway) block(r request2, bearer string) []byte {
	line := r.line
	if line == nil {
		line = []field{{":method", "GET"}, {":scheme", "https"}, {":authority", "HOST"}, {":path", r.path}}
	}
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	write := func(f field) {
		// A buffer takes all.
		_ = encoder.WriteField(hpack.HeaderField{Name: f.name, Value: strings.ReplaceAll(f.value, "HOST", g.address)})
	}
	for _, f := range line {
		write(f)
	}
	if r.known {
		write(field{"authorization", "Bearer " + bearer})
	}
	for _, f := range r.fields {
		write(f)
	}
	return block.Bytes()
}
