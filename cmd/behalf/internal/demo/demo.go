package demo

import (
	_ "embed"
	"fmt"
	"io"
)

// Register is the demonstration's register in the native format.
//
//go:embed register.jsonl
var Register []byte

// Users are the users whose tokens the questions need, by the name of their token file.
var Users = map[string]struct{ UserID, PartyID int64 }{
	"kari":  {20010001, 50010001},
	"selma": {20010003, 50010003},
	"jonas": {20010004, 50010004},
}

// Print writes each question as three lines: what it asks, a part of the answer, and the
// command that asks it. url is the server's HTTP address; dir holds the token files
// <user>.token and the admin key.
func Print(w io.Writer, url, dir string) {
	for _, q := range questions {
		fmt.Fprintf(w, "# %s\n# → %s\n", q.text, q.answer)
		fmt.Fprintf(w, "curl -s -H \"Authorization: Bearer $(cat %s/%s)\" %s'%s%s'; echo\n\n", dir, q.credential, q.body, url, q.path)
	}
	fmt.Fprintln(w, "# Stop with Ctrl-C: the register and the keys are gone then.")
}

var questions = []struct {
	text       string
	answer     string // what the answer begins with or contains
	credential string // file that holds the bearer token
	body       string // further arguments of curl
	path       string
}{
	{
		text:       "Selma leads an accounting firm. Whom may she act for? Her firm, its clients and their branches, herself.",
		answer:     `"name":"FJELLBEKK BAKERI AS"`,
		credential: "selma.token",
		path:       "/authorization/api/v1/parties?userid=20010003",
	},
	{
		text:       "May she act for the bakery's branch in Bergen? Through her firm, and the branch's main unit: yes.",
		answer:     "true",
		credential: "selma.token",
		path:       "/authorization/api/v1/parties/50020002/validate?userid=20010003",
	},
	{
		text:       "Jonas sits on the firm's board, which is no key role. May he act for the bakery? No.",
		answer:     "false",
		credential: "jonas.token",
		path:       "/authorization/api/v1/parties/50020001/validate?userid=20010004",
	},
	{
		text:       "Which roles has Kari, its managing director, in the bakery? DAGL and all that come with it.",
		answer:     `{"type":"altinn","value":"DAGL"}`,
		credential: "kari.token",
		path:       "/authorization/api/v1/roles?coveredByUserId=20010001&offeredByPartyId=50020001",
	},
	{
		text:       "A service asks the same graph: has Selma the accountant's role in Ingrid's sole proprietorship?",
		answer:     `"allowed":true`,
		credential: "admin.key",
		body:       `-d '{"question":{"object":{"type":"party","id":"50020007"},"permission":"has_regn","subject":{"type":"user","id":"20010003"}}}' -H 'Content-Type: application/json' `,
		path:       "/v1/check",
	},
	{
		text:       "Kari's branches, as a picker would search for them.",
		answer:     `"FJELLBEKK BAKERI AVD TØNSBERG"`,
		credential: "kari.token",
		path:       "/v1/parties?search=fjell+tons",
	},
}
