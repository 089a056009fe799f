package bench

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// serving begins the line by which a floor says where it listens.
const serving = "serving "

// ServeFloor serves one ready answer to every question on a free port of this machine,
// says on out where, and ends when in does. It has no interceptors, no handlers around
// its handler and no log. A list is the answer as many times as told.
//
// It is served by a process of its own: what answers everything without credentials has no
// place inside a server that is in use. With so little alive the collector would run all the
// time there, and the floor would look dearer than inside a server, so who runs that process
// gives it a heap like a server's.
func ServeFloor(ctx context.Context, a API, answer string, times int, in io.Reader, out io.Writer) error {
	message, err := base64.StdEncoding.DecodeString(answer)
	if err != nil {
		return fmt.Errorf("the answer is not base64: %w", err)
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	serve, stop, err := floor(a, message, times)
	if err != nil {
		_ = listener.Close()
		return err
	}
	done := make(chan error, 1)
	go func() { done <- serve(listener) }()
	go func() {
		_, _ = io.Copy(io.Discard, in)
		stop()
	}()
	if _, err := fmt.Fprintln(out, serving+listener.Addr().String()); err != nil {
		stop()
	}
	return <-done
}

// floor returns the bare server of an API.
func floor(a API, answer []byte, times int) (serve func(net.Listener) error, stop func(), err error) {
	if a == REST {
		s := &http.Server{Handler: ready(answer), ReadHeaderTimeout: time.Minute}
		serve = func(l net.Listener) error {
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		}
		return serve, func() { _ = s.Close() }, nil
	}
	s := grpc.NewServer()
	switch a {
	case GRPC:
		response := new(behalfv1.CheckResponse)
		err = proto.Unmarshal(answer, response)
		behalfv1.RegisterCheckServiceServer(s, readyCheck{answer: response})
	case Authzed:
		response := new(v1.CheckPermissionResponse)
		err = proto.Unmarshal(answer, response)
		v1.RegisterPermissionsServiceServer(s, readyPermission{answer: response})
	case Lookup:
		response := new(v1.LookupResourcesResponse)
		err = proto.Unmarshal(answer, response)
		v1.RegisterPermissionsServiceServer(s, readyLookup{answer: response, times: times})
	case REST, OpenFGA:
		err = fmt.Errorf("there is no floor of %s over gRPC", a)
	}
	return s.Serve, s.Stop, err
}

// ready reads each request and answers alike.
type ready []byte

func (a ready) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(a)))
	_, _ = w.Write(a)
}

type readyCheck struct {
	behalfv1.UnimplementedCheckServiceServer

	answer *behalfv1.CheckResponse
}

func (c readyCheck) Check(context.Context, *behalfv1.CheckRequest) (*behalfv1.CheckResponse, error) {
	return c.answer, nil
}

type readyPermission struct {
	v1.UnimplementedPermissionsServiceServer

	answer *v1.CheckPermissionResponse
}

func (p readyPermission) CheckPermission(context.Context, *v1.CheckPermissionRequest) (*v1.CheckPermissionResponse, error) {
	return p.answer, nil
}

type readyLookup struct {
	v1.UnimplementedPermissionsServiceServer

	answer *v1.LookupResourcesResponse
	times  int
}

func (l readyLookup) LookupResources(_ *v1.LookupResourcesRequest, stream grpc.ServerStreamingServer[v1.LookupResourcesResponse]) error {
	for range l.times {
		if err := stream.Send(l.answer); err != nil {
			return err
		}
	}
	return nil
}

// Floor is a bare server in a process of its own.
type Floor struct {
	Address string
	PID     int

	cmd *exec.Cmd
	in  io.Closer
}

// StartFloor runs a program that calls ServeFloor, with the API, the answer and how many
// times it is sent as its last three arguments.
func StartFloor(ctx context.Context, a API, answer []byte, times int, program ...string) (*Floor, error) {
	arguments := append(program[1:len(program):len(program)], string(a), base64.StdEncoding.EncodeToString(answer), strconv.Itoa(times))
	cmd := exec.CommandContext(ctx, program[0], arguments...) //nolint:gosec // it is this program
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var says strings.Builder
	cmd.Stderr = &says
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the floor: %w", err)
	}
	f := &Floor{PID: cmd.Process.Pid, cmd: cmd, in: in}
	line, err := bufio.NewReader(out).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), serving)
	if err != nil || !ok {
		f.Close()
		return nil, fmt.Errorf("the floor does not serve: %s", strings.TrimSpace(line+says.String()))
	}
	f.Address = address
	return f, nil
}

// Close ends the process.
func (f *Floor) Close() {
	_ = f.in.Close()
	_ = f.cmd.Wait() // how it ends changes nothing that was measured
}

// Blind asks, and takes every answer for right, since it is not about the question.
type Blind struct{ Asker }

// Ask asks and returns what the oracle says.
func (b Blind) Ask(ctx context.Context, caller int, q Question) (bool, error) {
	_, err := b.Asker.Ask(ctx, caller, q)
	return q.Allowed, err
}
