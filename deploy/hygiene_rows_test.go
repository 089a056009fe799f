package deploy_test

// row is a request that tries to be somebody else's, or to get where it may not.
type row struct {
	what    string
	request string // METHOD target
	headers string // lines, and after an empty one the body
	as      string // "Kari", or nobody
	must    string // "pass" or "stay out" at every door; else whatever leaves identity and rules alone
}

// sound are requests that try nothing: without them, closed doors would do.
var sound = []row{
	{"public", "GET /open/a", "", "", "pass"},
	{"public, known", "GET /open/a", "", "Kari", "pass"},
	{"known", "GET /me", "", "Kari", "pass"},
	{"own party", "GET /act", "", "Kari", "pass"},
	{"named party", "GET /act", "Behalf-Party: 50076451", "Kari", "pass"},
	{"party of the path", "GET /for/50074838/x", "", "Kari", "pass"},
	{"a slash at the end", "GET /open/a/", "", "", "pass"},
	{"an escape", "GET /open/%61", "", "", "pass"},
	{"a query", "GET /me?a=/../open&b=%2F", "", "Kari", "pass"},
	{"nobody at a closed door", "GET /me", "", "", "stay out"},
	{"another's party", "GET /for/50090001/x", "", "Kari", "stay out"},
	{"not in the group", "GET /open/admin", "", "Kari", "stay out"},
}

// hygiene are the requests. Whatever passes, the service must be told who really asks, and
// no reading of the request may be one that the routes do not let in.
var hygiene = []row{
	// Identity headers of the client's own.
	{"user", "GET /open/a", "Behalf-User: 1", "", "pass"},
	{"user, known", "GET /me", "Behalf-User: 1", "Kari", "pass"},
	{"user, other case", "GET /me", "BEHALF-USER: 1", "Kari", "pass"},
	{"user, twice", "GET /me", "Behalf-User: 1\nBehalf-User: 2", "Kari", "pass"},
	{"user, no value", "GET /me", "Behalf-User:", "Kari", "pass"},
	{"user, two values", "GET /me", "Behalf-User: 1, 2", "Kari", "pass"},
	{"user, nobody at a closed door", "GET /me", "Behalf-User: 20000490\nBehalf-Level: 4", "", "stay out"},
	{"level", "GET /me", "Behalf-Level: 4", "Kari", "pass"},
	{"party id", "GET /me", "Behalf-Party-Id: 50090001", "Kari", "pass"},
	{"party uuid", "GET /me", "Behalf-Party-Uuid: 6f0b1d3e-2a55-4c07-9f4e-52a0c8b1d004", "Kari", "pass"},
	{"party org", "GET /open/a", "Behalf-Party-Org: 910090011", "", "pass"},
	{"all five", "GET /act", "Behalf-User: 1\nBehalf-Level: 4\nBehalf-Party-Id: 2\nBehalf-Party-Uuid: 3\nBehalf-Party-Org: 4", "Kari", "pass"},

	// Underscore aliases.
	{"alias of user", "GET /me", "Behalf_User: 1", "Kari", ""},
	{"alias, lower case", "GET /open/a", "behalf_user: 1", "", ""},
	{"alias of level", "GET /me", "Behalf_Level: 4", "Kari", ""},
	{"alias of party id", "GET /act", "Behalf_Party-Id: 50090001", "Kari", ""},
	{"alias of party org", "GET /act", "Behalf-Party_Org: 910090011", "Kari", ""},
	{"alias beside the name", "GET /me", "Behalf-User: 1\nBehalf_User: 2", "Kari", ""},
	{"alias of the party asked for", "GET /act", "Behalf_Party: 50090001", "Kari", ""},
	{"party asked for and alias", "GET /act", "Behalf-Party: 50076451\nBehalf_Party: 50090001", "Kari", ""},
	{"alias of credentials", "GET /me", "authorization_: Bearer x\nX_Forwarded_Uri: /open/a", "", "stay out"},

	// Headers that are removed on the way.
	{"user is hop-by-hop", "GET /me", "Connection: close, Behalf-User", "Kari", ""},
	{"user is hop-by-hop, nobody", "GET /open/a", "Connection: close, Behalf-User\nBehalf-User: 1", "", ""},
	{"party is hop-by-hop", "GET /act", "Connection: Behalf-Party-Id, close\nBehalf-Party: 50076451", "Kari", ""},
	{"hop-by-hop, other case", "GET /me", "Connection: CLOSE, bEHALF-lEVEL", "Kari", ""},
	{"hop-by-hop in a second line", "GET /me", "Connection: close\nConnection: Behalf-User", "Kari", ""},
	{"hop-by-hop and no spaces", "GET /act", "Connection: close,,Behalf-Party-Uuid,", "Kari", ""},
	{"party asked for is hop-by-hop", "GET /act", "Connection: close, Behalf-Party\nBehalf-Party: 50076451", "Kari", ""},
	{"what tells is hop-by-hop", "GET /me", "Connection: close, X-Forwarded-Uri, X-Original-URI, X-Original-Method", "", "stay out"},
	{"credentials are hop-by-hop", "GET /me", "Connection: close, Authorization", "Kari", ""},

	// Duplicated headers.
	{"party asked for twice", "GET /act", "Behalf-Party: 50076451\nBehalf-Party: 50090001", "Kari", "stay out"},
	{"party asked for twice, the same", "GET /act", "Behalf-Party: 50076451\nBehalf-Party: 50076451", "Kari", "stay out"},
	{"two parties in one", "GET /act", "Behalf-Party: 50076451, 50090001", "Kari", "stay out"},
	{"party of the cookie", "GET /act", "Cookie: AltinnPartyId=50076451", "Kari", "pass"},
	{"another's party in the cookie", "GET /act", "Cookie: AltinnPartyId=50090001", "Kari", "stay out"},
	{"two parties in cookies", "GET /act", "Cookie: AltinnPartyId=50076451; AltinnPartyId=50090001", "Kari", "stay out"},
	{"party of the cookie, and of the header", "GET /act", "Behalf-Party: 50076451\nCookie: AltinnPartyId=50090001", "Kari", "pass"},
	{"party with a sign", "GET /act", "Behalf-Party: +50076451", "Kari", "stay out"},
	{"credentials twice", "GET /me", "Authorization: Bearer x", "Kari", "stay out"},
	{"host twice", "GET /x", "Host: app.example.com\nHost: other.example.com", "", "stay out"},
	{"host and another told", "GET /x", "X-Forwarded-Host: other.example.com", "", "stay out"},
	{"two sessions", "GET /me", "Cookie: __Host-sid=a; __Host-sid=b", "", "stay out"},

	// Paths.
	{"empty segment", "GET //me", "", "", "stay out"},
	{"empty segment inside", "GET /open//admin", "", "", "stay out"},
	{"empty segment at the end", "GET /open/a//", "", "", "stay out"},
	{"dot segment", "GET /open/./admin", "", "", ""},
	{"dot dot", "GET /open/../me", "", "", ""},
	{"dot dot to the admin", "GET /docs/../open/admin", "", "Kari", ""},
	{"dot dot, escaped", "GET /open/%2e%2e/me", "", "", ""},
	{"dot dot, half escaped", "GET /open/.%2E/me", "", "", ""},
	{"dot dot, escaped twice", "GET /open/%252e%252e/me", "", "", "stay out"},
	{"dot dot, as UTF-8 overlong", "GET /open/%c0%ae%c0%ae/me", "", "", "stay out"},
	{"dot dot, full width", "GET /open/%ef%bc%8e%ef%bc%8e/me", "", "", "stay out"},
	{"dot dot above all", "GET /../../me", "", "", "stay out"},
	{"escaped slash", "GET /open/..%2fme", "", "", "stay out"},
	{"escaped slash to the admin", "GET /open%2Fadmin", "", "", "stay out"},
	{"escaped slash, twice", "GET /open%252Fadmin", "", "", "stay out"},
	{"escaped slash, full width", "GET /open/..%ef%bc%8fme", "", "", "stay out"},
	{"backslash", `GET /open\..\me`, "", "", "stay out"},
	{"backslash, escaped", "GET /open/..%5cme", "", "", "stay out"},
	{"backslash, escaped twice", "GET /open/..%255Cme", "", "", "stay out"},
	{"parameters", "GET /open/..;/me", "", "", "stay out"},
	{"parameters, escaped", "GET /open/..%3b/me", "", "", "stay out"},
	{"parameters on the admin", "GET /open/admin;x=1", "", "", "stay out"},
	{"session in the path", "GET /open/admin;jsessionid=1/", "", "", "stay out"},
	{"end of text", "GET /open/admin%00.css", "", "", "stay out"},
	{"line break", "GET /open/a%0d%0aBehalf-User:%201", "", "", "stay out"},
	{"tab", "GET /open/admin%09", "", "", "stay out"},
	{"escaped letters", "GET /%6f%70en/%61dmin", "", "", "stay out"},
	{"admin with a slash", "GET /open/admin/", "", "", "stay out"},
	{"half an escape", "GET /open/a%2", "", "", "stay out"},
	{"no escape", "GET /open/%zz", "", "", "stay out"},
	{"fragment", "GET /open/admin#/a", "", "", ""},
	{"not UTF-8", "GET /open/%ff%fe", "", "", "stay out"},
	{"party with a slash", "GET /for/50076451%2f..%2f50090001/x", "", "Kari", "stay out"},
	{"party and dot dot", "GET /for/50076451/../50090001/x", "", "Kari", ""},
	{"party with parameters", "GET /for/50076451;50090001/x", "", "Kari", "stay out"},

	// Targets of other forms.
	{"absolute target", "GET https://app.example.com/me", "", "", "stay out"},
	{"absolute target, other host", "GET https://other.example.com/me", "", "", "stay out"},
	{"absolute target, host of a public route", "GET https://app.example.com/x", "Host: other.example.com", "", ""},
	{"absolute target to a public host", "GET https://other.example.com/x", "Host: app.example.com", "", ""},
	{"absolute target with a user", "GET https://a@app.example.com/open/admin", "", "", "stay out"},
	{"no slash", "GET me", "", "", "stay out"},
	{"star", "GET *", "", "", "stay out"},
	{"host with a path", "GET /x", "Host: other.example.com/x", "", "stay out"},
	{"host with a user", "GET /x", "Host: a@other.example.com", "", "stay out"},

	// Methods.
	{"method not let in", "DELETE /docs/a", "", "Kari", "stay out"},
	{"method override", "GET /docs/a", "X-HTTP-Method-Override: DELETE", "Kari", ""},
	{"method override, other name", "GET /docs/a", "X-Method-Override: DELETE", "Kari", ""},
	{"method override, third name", "POST /me", "X-HTTP-Method: DELETE\nContent-Length: 0", "Kari", ""},
	{"method overridden to get in", "DELETE /docs/a", "X-HTTP-Method-Override: GET", "Kari", "stay out"},
	{"method told", "DELETE /docs/a", "X-Forwarded-Method: GET\nX-Original-Method: GET", "Kari", "stay out"},
	{"method in lower case", "get /me", "", "Kari", "stay out"},
	{"method of nobody", "BREW /me", "", "Kari", "stay out"},
	{"track", "TRACE /me", "", "Kari", "stay out"},

	// What a gateway tells, told by the client.
	{"path told", "GET /me", "X-Forwarded-Uri: /open/a\nX-Original-URI: /open/a\nX-Original-URL: https://app.example.com/open/a", "", "stay out"},
	{"path told to the service", "GET /open/a", "X-Original-URL: /open/admin\nX-Rewrite-URL: /open/admin", "", "pass"},
	{"prefix told", "GET /open/a", "X-Forwarded-Prefix: /open/admin", "", "pass"},
	{"host told", "GET /x", "X-Forwarded-Host: other.example.com\nForwarded: host=other.example.com", "", "stay out"},
	{"host told to the service", "GET /open/a", "X-Forwarded-Host: other.example.com", "", "pass"},
	{"address told", "GET /me", "X-Forwarded-For: 127.0.0.1\nX-Real-Ip: 127.0.0.1", "", "stay out"},
	{"Mia's headers", "GET /me", "miauserid: 1\nmiausergroups: admin\nOriginal-Request-Uri: /open/a\nOriginal-Request-Method: GET", "", "stay out"},
	{"oauth2-proxy's headers", "GET /me", "X-Auth-Request-User: 1\nX-Auth-Request-Groups: admin", "", "stay out"},

	// Queries.
	{"path in the query", "GET /me?path=/open/a&uri=/open/a", "", "", "stay out"},
	{"party in the query", "GET /act?Behalf-Party=50090001&partyId=50090001", "", "Kari", "pass"},
	{"party in the query of a path", "GET /for/50090001/x?partyId=50076451", "", "Kari", "stay out"},
	{"user in the query", "GET /me?Behalf-User=1&access_token=x", "", "", "stay out"},
	{"escaped question mark", "GET /open/admin%3fx", "", "", ""},
	{"question mark before dots", "GET /open/a?/../../me", "", "", "pass"},

	// Other protocols, over which requests could follow that nobody judges.
	{"websocket", "GET /me", "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: eA==", "Kari", "pass"},
	{"HTTP/2 without TLS", "GET /open/a", "Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__", "", ""},
	{"HTTP/2 without TLS, other case", "GET /open/a", "Connection: upgrade\nUpgrade: H2C, websocket", "", ""},
	{"HTTP/2 before websocket", "GET /open/a", "Connection: upgrade\nUpgrade: h2c\nUpgrade: websocket", "", ""},
	{"HTTP/2 and websocket", "GET /open/a", "Connection: upgrade\nUpgrade: websocket\nUpgrade: h2c", "", ""},

	// Bodies.
	{"two lengths", "POST /open/a", "Content-Length: 5\nTransfer-Encoding: chunked\n\n0\n\nGET /open/admin HTTP/1.1\nHost: a\n\n", "", ""},
	{"lengths that differ", "POST /open/a", "Content-Length: 0\nContent-Length: 5\n\n12345", "", ""},
	{"length with a sign", "POST /open/a", "Content-Length: +5\n\n12345", "", ""},
	{"alias of the length", "POST /open/a", "Content_Length: 5\n\nGET /open/admin HTTP/1.1\nHost: a\n\n", "", ""},
	{"another coding", "POST /open/a", "Transfer-Encoding: xchunked\n\n0\n\n", "", ""},
	{"coding and a tab", "POST /open/a", "Transfer-Encoding:\tchunked\nContent-Length: 0\n\n0\n\nGET /open/admin HTTP/1.1\nHost: a\n\n", "", ""},
	{"a request as the body", "POST /open/a", "Content-Length: 45\n\nGET /open/admin HTTP/1.1\nHost: a.example.com\n\n", "", "pass"},
	{"a header that goes on", "GET /open/a", "X-A: 1\n Behalf-User: 1", "", ""},
	{"a space before the colon", "GET /open/a", "Behalf-User : 1", "", ""},
}
