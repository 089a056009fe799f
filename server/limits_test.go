package server

import (
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestLimitsNameEveryFault(t *testing.T) {
	err := LimitsConfig{Rate: math.NaN(), Burst: -1, Connections: -1, MessageBytes: -1, CallTime: -1}.Validate()
	if err == nil {
		t.Fatal("limits below nothing are valid")
	}
	for _, flag := range []string{"--rate-limit", "--rate-burst", "--max-connections", "--max-message-bytes", "--max-call-time"} {
		if !strings.Contains(err.Error(), flag) {
			t.Errorf("%s is not named in %q", flag, err)
		}
	}
	if err := (LimitsConfig{Burst: 5}).Validate(); err == nil {
		t.Error("a burst of no rate is valid")
	}
	if err := (LimitsConfig{Rate: 0.5, Burst: 5, Connections: 1, MessageBytes: 1, CallTime: time.Second}).Validate(); err != nil {
		t.Error(err)
	}
}

// A port with as many connections as it may have closes others, and takes them again when
// one has gone.
func TestConnectionsAreBounded(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's own
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = inner.Close() }()
	refused, registry := prometheus.NewCounter(prometheus.CounterOpts{Name: "refused"}), prometheus.NewRegistry()
	registry.MustRegister(refused)
	accepted := make(chan net.Conn)
	go func() {
		l := limited(inner, 2, refused)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", inner.Addr().String()) //nolint:noctx // a test's own
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	dial()
	first := <-accepted
	dial()
	<-accepted
	third := dial()
	if err := third.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := third.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Fatalf("the third connection is not closed: %v", err)
	}
	counted, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if n := counted[0].GetMetric()[0].GetCounter().GetValue(); n != 1 {
		t.Errorf("%v connections are counted as refused", n)
	}
	for range 2 { // closing twice makes room once
		_ = first.Close()
	}
	dial()
	<-accepted
	last := dial()
	_ = last.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := last.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("one more than there is room for is not closed: %v", err)
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return !errors.Is(err, io.EOF) && errors.As(err, &timeout) && timeout.Timeout()
}
