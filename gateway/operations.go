package gateway

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/behalf-authz/behalf/gateway/authzen"
	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/problem"
)

// readyTimeout bounds the question whether the server can answer; probes wait no longer.
const readyTimeout = 2 * time.Second

// pathClientJWKS is where identity providers find the keys of the server as their client. No
// token of ours is verified by them.
const pathClientJWKS = "/.well-known/client-jwks.json"

// operations returns the routes that have no caller, by path.
func operations(cfg Config) map[string]http.Handler {
	return map[string]http.Handler{
		"/health":                healthy(cfg.Ready, "Healthy", "Unhealthy"), // Altinn's
		"/readyz":                healthy(cfg.Ready, "ready", "not ready"),
		"/livez":                 read(alive),
		"/-/healthz":             read(alive), // Mia-Platform's, as are those below
		"/-/ready":               healthy(cfg.Ready, "ready", "not ready"),
		"/-/check-up":            healthy(cfg.Ready, "ready", "not ready"),
		"/metrics":               read(promhttp.HandlerFor(cfg.Gatherer, promhttp.HandlerOpts{}).ServeHTTP),
		"/openapi.json":          document("application/json", func() []byte { return cfg.OpenAPI }),
		"/.well-known/jwks.json": document("application/jwk-set+json", cfg.JWKS),
		pathClientJWKS:           document("application/jwk-set+json", cfg.clientJWKS),
		authzen.MetadataPath:     read(authzen.Metadata(cfg.PublicURL)),
	}
}

func (c Config) clientJWKS() []byte {
	if len(c.ClientJWKS) == 0 {
		return []byte(`{"keys":[]}`)
	}
	return c.ClientJWKS
}

func alive(w http.ResponseWriter, _ *http.Request) { answerText(w, http.StatusOK, "alive") }

// healthy answers 200 only when the server can answer questions. Why it cannot goes to the
// log: the route is open to everybody.
func healthy(ready func(context.Context) error, yes, no string) http.Handler {
	return read(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		w.Header().Set("Cache-Control", "no-store")
		if err := ready(ctx); err != nil {
			event.From(r.Context()).Err = err
			answerText(w, http.StatusServiceUnavailable, no)
			return
		}
		answerText(w, http.StatusOK, yes)
	})
}

// document answers with a text that is the same for everybody.
func document(contentType string, text func() []byte) http.Handler {
	return read(func(w http.ResponseWriter, r *http.Request) {
		body := text()
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Header().Set("Cache-Control", "public, max-age=300")
		_, _ = w.Write(body) // the client went away; there is nobody to tell
	})
}

// read refuses all methods but GET and HEAD.
func read(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !safeMethod(r.Method) {
			problem.WriteMethodNotAllowed(w, r, http.MethodGet, http.MethodHead)
			return
		}
		next(w, r)
	})
}

func answerText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the client went away; there is nobody to tell
}
