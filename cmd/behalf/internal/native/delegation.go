package native

import (
	"regexp"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
)

// systemUser names a system user where a delegation is to one.
var systemUser = regexp.MustCompile(`^systemuser:[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

func (o *object) delegation(place registerfile.Place) *behalfv1.ImportEntry {
	record := &behalfv1.DelegationRecord{
		From: o.text("from"), To: o.text("to"), Via: o.text("via"), Package: o.text("package"),
		Resource: o.text("resource"), Action: o.text("action"), Instance: o.text("instance"), Task: o.text("task"),
		ExpiresAt: o.instant("expiresAt"), GivenBy: o.number("givenBy"), GivenWith: o.text("givenWith"), GivenAt: o.instant("givenAt"),
	}
	for _, end := range []struct{ name, text string }{{"from", record.From}, {"to", record.To}, {"via", record.Via}} {
		if end.text != "" && !isReference(end.text) && (end.name != "to" || !systemUser.MatchString(end.text)) {
			o.fail(end.name, noReference)
		}
	}
	switch {
	case record.Package == "" && record.Resource == "":
		o.fail("package", "is missing; write a package, or a resource and an action")
	case record.Package != "" && record.Resource != "":
		o.fail("package", "stands beside resource; write one of them")
	}
	if err := o.end("a delegation"); err != nil {
		return unreadable(place, err)
	}
	return place.Checked(&behalfv1.ImportEntry{
		File: place.File, Line: place.Line, Entry: &behalfv1.ImportEntry_Delegation{Delegation: record},
	})
}

// instant takes a time, nil when the field is absent.
func (o *object) instant(name string) *timestamppb.Timestamp {
	if !o.has(name) {
		return nil
	}
	at, err := time.Parse(time.RFC3339, o.text(name))
	if err != nil {
		o.fail(name, "is not a time, such as 2030-12-31T23:59:59Z")
		return nil
	}
	return timestamppb.New(at)
}

type delegationLine struct {
	Kind      string `json:"kind"`
	From      string `json:"from"`
	To        string `json:"to"`
	Via       string `json:"via,omitempty"`
	Package   string `json:"package,omitempty"`
	Resource  string `json:"resource,omitempty"`
	Action    string `json:"action,omitempty"`
	Instance  string `json:"instance,omitempty"`
	Task      string `json:"task,omitempty"`
	ExpiresAt string `json:"expiresAt,omitempty"`
	GivenBy   int64  `json:"givenBy,omitempty"`
	GivenWith string `json:"givenWith,omitempty"`
	GivenAt   string `json:"givenAt,omitempty"`
}

func lineOfDelegation(d *behalfv1.DelegationRecord) delegationLine {
	return delegationLine{
		Kind: "delegation", From: d.GetFrom(), To: d.GetTo(), Via: d.GetVia(), Package: d.GetPackage(),
		Resource: d.GetResource(), Action: d.GetAction(), Instance: d.GetInstance(), Task: d.GetTask(),
		ExpiresAt: rfc3339(d.GetExpiresAt()), GivenBy: d.GetGivenBy(), GivenWith: d.GetGivenWith(), GivenAt: rfc3339(d.GetGivenAt()),
	}
}

func rfc3339(at *timestamppb.Timestamp) string {
	if at == nil {
		return ""
	}
	return at.AsTime().Format(time.RFC3339Nano)
}
