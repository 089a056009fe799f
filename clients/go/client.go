package behalf

import (
	"fmt"
	"time"

	"google.golang.org/grpc"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Client asks a Behalf server. It is safe for concurrent use. Make one with Dial or New.
type Client struct {
	conn    grpc.ClientConnInterface // as dialled, without credentials
	close   func() error
	timeout time.Duration
	session *session // nil for a client without

	calls       wire
	checks      *batcher
	parties     behalfv1.PartyServiceClient
	roles       behalfv1.RoleServiceClient
	questions   behalfv1.CheckServiceClient
	decisions   behalfv1.DecisionServiceClient
	delegations behalfv1.DelegationServiceClient
	callers     behalfv1.CallerServiceClient
}

// Dial returns a client of the server at an address, host:port or any target of gRPC. It does
// not wait for the server: the first call does. TLS is spoken unless the address is this
// machine's or WithPlaintext is given.
func Dial(address string, options ...Option) (*Client, error) {
	o := gather(options)
	dialling, err := o.dialOptions(address)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(address, dialling...)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	c := over(conn, o)
	c.close = conn.Close
	return c, nil
}

// New returns a client over a connection that somebody else has made and will close. Options
// that are about dialling have no effect.
func New(conn grpc.ClientConnInterface, options ...Option) *Client {
	return over(conn, gather(options))
}

func over(conn grpc.ClientConnInterface, o settings) *Client {
	c := &Client{conn: conn, timeout: o.timeout, close: func() error { return nil }}
	c.callWith(o.token)
	return c
}

// callWith gives c credentials, and checks of its own: those of different callers are never
// put into one call.
func (c *Client) callWith(token TokenSource) {
	w := wire{conn: c.conn, timeout: c.timeout, credentials: credentialsOf(token)}
	c.calls = w
	c.parties = behalfv1.NewPartyServiceClient(w)
	c.roles = behalfv1.NewRoleServiceClient(w)
	c.questions = behalfv1.NewCheckServiceClient(w)
	c.decisions = behalfv1.NewDecisionServiceClient(w)
	c.delegations = behalfv1.NewDelegationServiceClient(w)
	c.callers = behalfv1.NewCallerServiceClient(w)
	c.checks = newBatcher(c.questions, c.timeout)
}

// As returns a client that calls with this token, such as that of the user whose request is
// being served. It has no session and need not be closed.
func (c *Client) As(token string) *Client {
	as := &Client{conn: c.conn, timeout: c.timeout, close: func() error { return nil }}
	as.callWith(fixedToken(token))
	return as
}

// Conn returns the connection for other services of the server, such as those of SpiceDB, whose whole
// API is there. It sends the client's credentials, has its deadline, and returns an *Error.
func (c *Client) Conn() grpc.ClientConnInterface { return c.calls }

// Close ends the connections of a client that was dialled, and with them those of all clients
// that As and Session have made of it.
func (c *Client) Close() error { return c.close() }
