package xacml_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmlform"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// worldPolicies returns every policy under conformance that can be read, as both
// standard and Altinn's way, and how many there were.
func worldPolicies(t testing.TB) map[string]*xacml.Policy {
	t.Helper()
	policies := make(map[string]*xacml.Policy)
	err := filepath.WalkDir(conformance(t), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".xml") {
			return err
		}
		data := read(t, path)
		root, err := xmltree.Parse(data, xmltree.Limits{})
		if err != nil || root.Local != "Policy" && root.Local != "PolicySet" {
			return nil
		}
		for _, joined := range []bool{false, true} {
			p, err := xacml.Parse(data, xacml.ParseOptions{AnyOfPerCategory: joined})
			if err != nil {
				t.Logf("%s: %v", path, err)
				continue
			}
			policies[fmt.Sprint(path, " ", joined)] = p
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return policies
}

// vocabulary is what random requests are made of: what a policy asks for, and what not.
type vocabulary struct {
	uses     []xacml.AttributeUse
	literals []string
}

func vocabularyOf(p *xacml.Policy) vocabulary {
	v := vocabulary{uses: p.Attributes(), literals: []string{"", "nobody", "SKD", "skd ", "æØå", " x"}}
	for _, r := range p.Rules() {
		for _, anyOf := range r.Target {
			for _, allOf := range anyOf {
				for _, m := range allOf {
					v.literals = append(v.literals, m.Value, strings.ToUpper(m.Value))
				}
			}
		}
	}
	v.uses = append(v.uses, xacml.AttributeUse{Category: xacml.SubjectCategory, ID: "other", DataType: xacml.StringValue("").DataType})
	return v
}

func (v vocabulary) request(r *rand.Rand) *xacml.Request {
	q := &xacml.Request{ReturnPolicyIDs: r.IntN(4) == 0}
	at := make(map[string]int)
	for range r.IntN(2 + 2*len(v.uses)) {
		use := v.uses[r.IntN(len(v.uses))]
		i, seen := at[use.Category]
		if !seen {
			i = len(q.Categories)
			at[use.Category] = i
			q.Categories = append(q.Categories, xacml.Attributes{Category: use.Category})
		}
		a := xacml.Attribute{ID: use.ID, Issuer: use.Issuer}
		for range 1 + r.IntN(2) {
			value := xacml.AttributeValue{DataType: use.DataType, Text: v.literals[r.IntN(len(v.literals))]}
			if r.IntN(10) == 0 {
				value.DataType = xacml.StringValue("").DataType
			}
			a.Values = append(a.Values, value)
		}
		q.Categories[i].Attributes = append(q.Categories[i].Attributes, a)
	}
	return q
}

func agree(t *testing.T, name string, p *xacml.Policy, q *xacml.Request) {
	t.Helper()
	o := xacml.Options{Now: time.Unix(1_800_000_000, 0)}
	fast := p.Evaluate(q, o)
	o.General = true
	slow := p.Evaluate(q, o)
	if diff := cmp.Diff(slow, fast, cmp.Transformer("empty", func(o []xacml.Obligation) int { return len(o) })); diff != "" {
		t.Fatalf("%s: lookup and evaluator differ: %s\n%+v", name, diff, q)
	}
	if diff := cmp.Diff(fmt.Sprint(slow.Obligations, slow.Advice), fmt.Sprint(fast.Obligations, fast.Advice)); diff != "" {
		t.Fatalf("%s: obligations differ: %s", name, diff)
	}
}

// TestLookupAgrees compares the compiled form with the general evaluator on every policy
// there is and random requests in its vocabulary.
func TestLookupAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	compiled, permits := 0, 0
	policies := worldPolicies(t)
	for name, p := range policies {
		if !p.Compiled() {
			if strings.Contains(name, "/pdp/world/policies/") {
				t.Errorf("%s is not compiled", name)
			}
			continue
		}
		compiled++
		v := vocabularyOf(p)
		for range 200 {
			q := v.request(r)
			agree(t, name, p, q)
			if p.Evaluate(q, xacml.Options{}).Decision == xacml.Permit {
				permits++
			}
		}
	}
	t.Logf("%d of %d policies are compiled, %d permits", compiled, len(policies), permits)
}

// randomPolicy writes a simple policy over a small vocabulary, so that requests hit it.
func randomPolicy(r *rand.Rand) string {
	algorithms := []string{"3.0:rule-combining-algorithm:deny-overrides", "3.0:rule-combining-algorithm:permit-overrides",
		"3.0:rule-combining-algorithm:deny-unless-permit", "3.0:rule-combining-algorithm:permit-unless-deny",
		"1.0:rule-combining-algorithm:first-applicable", "1.0:rule-combining-algorithm:deny-overrides", "1.0:rule-combining-algorithm:permit-overrides",
		"3.0:policy-combining-algorithm:ordered-deny-overrides"}
	functions := [][2]string{{"1.0:function:string-equal", "string"}, {"3.0:function:string-equal-ignore-case", "string"}, {"1.0:function:anyURI-equal", "anyURI"}}
	words := []string{"a", "A", "b", "åÅ", "urn:x:1"}
	categories := []string{xacml.SubjectCategory, xacml.ResourceCategory, xacml.ActionCategory}
	target := func() string {
		var b strings.Builder
		for range r.IntN(4) {
			b.WriteString("<AnyOf>")
			for range 1 + r.IntN(3) {
				b.WriteString("<AllOf>")
				for range 1 + r.IntN(2) {
					f := functions[r.IntN(len(functions))]
					issuer := ""
					if r.IntN(6) == 0 {
						issuer = ` Issuer="i"`
					}
					fmt.Fprintf(&b, `<Match MatchId="urn:oasis:names:tc:xacml:%s"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#%s">%s</AttributeValue>`+
						`<AttributeDesignator Category="%s" AttributeId="id%d" DataType="http://www.w3.org/2001/XMLSchema#%s" MustBePresent="false"%s/></Match>`,
						f[0], f[1], words[r.IntN(len(words))], categories[r.IntN(3)], r.IntN(2), f[1], issuer)
				}
				b.WriteString("</AllOf>")
			}
			b.WriteString("</AnyOf>")
		}
		return "<Target>" + b.String() + "</Target>"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<Policy xmlns=%q PolicyId="random" Version="1.0" RuleCombiningAlgId="urn:oasis:names:tc:xacml:%s">`, xacml.Namespace, algorithms[r.IntN(len(algorithms))])
	if r.IntN(3) == 0 {
		b.WriteString(target())
	} else {
		b.WriteString("<Target/>")
	}
	for i := range r.IntN(5) {
		fmt.Fprintf(&b, `<Rule RuleId="r%d" Effect="%s">%s</Rule>`, i, []string{"Permit", "Deny"}[r.IntN(2)], target())
	}
	b.WriteString(`<ObligationExpressions><ObligationExpression ObligationId="o" FulfillOn="Permit"><AttributeAssignmentExpression AttributeId="a">` +
		`<AttributeValue DataType="http://www.w3.org/2001/XMLSchema#integer">2</AttributeValue></AttributeAssignmentExpression></ObligationExpression></ObligationExpressions></Policy>`)
	return b.String()
}

func TestLookupAgreesOnRandomPolicies(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 1500 {
		text := randomPolicy(r)
		for _, joined := range []bool{false, true} {
			p, err := xacml.Parse([]byte(text), xacml.ParseOptions{AnyOfPerCategory: joined})
			if err != nil {
				t.Fatal(err)
			}
			if !p.Compiled() {
				t.Fatalf("not compiled: %s", text)
			}
			v := vocabularyOf(p)
			for range 20 {
				agree(t, text, p, v.request(r))
			}
		}
	}
}

// TestLookupAllocatesNothing holds the promise of the compiled path.
func TestLookupAllocatesNothing(t *testing.T) {
	p, q := medianPolicy(t)
	if p.Evaluate(q, xacml.Options{}).Decision != xacml.Permit {
		t.Fatal("the request should be permitted")
	}
	if n := testing.AllocsPerRun(100, func() { p.Evaluate(q, xacml.Options{}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// medianPolicy is a policy as an Altinn app has it, with a request that it permits.
func medianPolicy(t testing.TB) (*xacml.Policy, *xacml.Request) {
	t.Helper()
	p := parse(t, string(read(t, filepath.Join(conformance(t), "pdp/world/policies/apps/skd/taxreport/policy.xml"))))
	q, err := xmlform.ReadRequest([]byte(`<Request xmlns="`+xacml.Namespace+`" ReturnPolicyIdList="false" CombinedDecision="false">`+
		category(xacml.SubjectCategory, "urn:altinn:userid=1", "urn:altinn:rolecode=utinn", "urn:altinn:rolecode=lede", "urn:altinn:rolecode=regna", "urn:altinn:rolecode=dagl")+
		category(xacml.ResourceCategory, "urn:altinn:org=skd", "urn:altinn:app=taxreport", "urn:altinn:partyid=1000", "urn:altinn:task=formfilling")+
		category(xacml.ActionCategory, "urn:oasis:names:tc:xacml:1.0:action:action-id=read")+`</Request>`), xmltree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p, q
}

func category(id string, attributes ...string) string {
	text := `<Attributes Category="` + id + `">`
	for _, a := range attributes {
		name, value, _ := strings.Cut(a, "=")
		text += `<Attribute AttributeId="` + name + `" IncludeInResult="false"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">` + value + `</AttributeValue></Attribute>`
	}
	return text + `</Attributes>`
}

func BenchmarkLookup(b *testing.B) {
	p, q := medianPolicy(b)
	b.ReportAllocs()
	for b.Loop() {
		p.Evaluate(q, xacml.Options{})
	}
}

func BenchmarkGeneral(b *testing.B) {
	p, q := medianPolicy(b)
	b.ReportAllocs()
	for b.Loop() {
		p.Evaluate(q, xacml.Options{General: true})
	}
}

func BenchmarkExplain(b *testing.B) {
	p, q := medianPolicy(b)
	b.ReportAllocs()
	for b.Loop() {
		p.Evaluate(q, xacml.Options{Explain: true})
	}
}

func BenchmarkParse(b *testing.B) {
	data := read(b, filepath.Join(conformance(b), "pdp/world/policies/apps/skd/taxreport/policy.xml"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := xacml.Parse(data, xacml.ParseOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
