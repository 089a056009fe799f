package gateway

import (
	"net/http"
	"strings"

	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"
)

// pathDocs is where a browser shows the OpenAPI document, and lets a developer try its calls.
const pathDocs = "/docs"

// docsPolicy keeps those pages to this server: everything that they load is in the binary, and
// what a caller types is sent nowhere else. Swagger UI is started by a script in its page and
// sets styles as it goes.
const docsPolicy = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func servesDocs(path string) bool {
	return path == pathDocs || strings.HasPrefix(path, pathDocs+"/")
}

// docs returns Swagger UI over the OpenAPI document. It is open to everybody, as the document
// is; the calls that it makes carry the credentials that are typed into it.
func docs() http.Handler {
	pages := v5emb.NewHandlerWithConfig(swgui.Config{
		Title:       "Behalf",
		SwaggerJSON: "/openapi.json",
		BasePath:    pathDocs,
		SettingsUI: map[string]string{
			"validatorUrl":       "null", // no badge: it would have another server read the document
			"docExpansion":       `"list"`,
			"tagsSorter":         `"alpha"`,
			"deepLinking":        "true",
			"displayOperationId": "false",
		},
	})
	return read(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", docsPolicy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		pages.ServeHTTP(w, r)
	})
}
