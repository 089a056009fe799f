package xmltree_test

import (
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

const doc = `<r xmlns:p="urn:p"><a n="1">x<!-- c --><![CDATA[<y>]]></a><p:a n="2"><b>z</b></p:a><a n="3"/></r>`

func root(t *testing.T, text string) *xmltree.Node {
	t.Helper()
	n, err := xmltree.Parse([]byte(text), xmltree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestParse(t *testing.T) {
	r := root(t, "<?xml version=\"1.0\"?>\n"+doc)
	a := r.Elements()
	if len(a) != 3 || a[0].Value() != "x<y>" || a[1].Space != "urn:p" || a[1].Value() != "z" || a[2].Line != 2 || a[2].Position() != 2 {
		t.Errorf("%+v %+v %+v", a[0], a[1], a[2])
	}
	if a[1].Elements()[0].Path() != "r/a/b" {
		t.Error(a[1].Elements()[0].Path())
	}
}

func TestRefused(t *testing.T) {
	for _, text := range []string{
		"", "x", "<a>", "<a></b>", "<a/><b/>", "</a>", "<a b='1' b='2'/>", "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", "<p:a/>", "<a p:b=''/>",
		"<a xmlns:p=''/>", "<a>&nbsp;</a>", "<!DOCTYPE a><a/>", "<a>\x00</a>", "<a>\xff</a>", "<?xml version='1.0' encoding='latin1'?><a/>",
		`<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>`, `<!DOCTYPE a SYSTEM "http://localhost/x.dtd"><a/>`,
		strings.Repeat("<a>", 65) + strings.Repeat("</a>", 65), "<a>" + strings.Repeat("<b/>", 100_001) + "</a>", "<a>" + strings.Repeat(" ", 10<<20) + "</a>",
	} {
		if _, err := xmltree.Parse([]byte(text), xmltree.Limits{}); err == nil {
			t.Errorf("%.60q was accepted", text)
		}
	}
}

func TestXPath(t *testing.T) {
	r := root(t, doc)
	content := r.Detach()
	for expression, want := range map[string]string{
		"/r/a/@n": "1 3", "//a": "x<y> ", "//p:a/b": "z", "//*[@n='2']/b/text()": "z", "/r/*[2]": "z", "//b/..": "z", "/q": "",
		"//a | //b": "x<y>  z", "/r/a[last()]/@n": "3", "//b/ancestor::*": "x<y>z z", "//a[position()=1]": "x<y>",
	} {
		path, err := xmltree.NewPath(expression, map[string]string{"p": "urn:p"})
		if err != nil {
			t.Error(err)
			continue
		}
		nodes, scalar, err := path.Evaluate(content, content)
		if err != nil || scalar != nil {
			t.Errorf("%s: %v %v", expression, scalar, err)
			continue
		}
		var got []string
		for _, n := range nodes {
			got = append(got, n.Value())
		}
		if len(nodes) != strings.Count(want, " ")+1 && want != "" || !sameWords(strings.Join(got, " "), want) {
			t.Errorf("%s: %q, want %q", expression, got, want)
		}
	}
	path, err := xmltree.NewPath("count(//a)", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, scalar, err := path.Evaluate(content, content); err != nil || scalar == nil || scalar.Text != "2" || scalar.IsOf != "number" {
		t.Errorf("%+v %v", scalar, err)
	}
}

// sameWords compares without order: bags have none.
func sameWords(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	for _, word := range x {
		if strings.Count(a, word) != strings.Count(b, word) {
			return false
		}
	}
	return len(x) == len(y)
}

// TestRefusedXPath holds that what the library would answer wrongly is refused.
func TestRefusedXPath(t *testing.T) {
	for _, expression := range []string{
		"", " ", "$x", "//a[$x]", "id('x')", "lang('no')", "//processing-instruction()", "1 to 3", "for $i in //a return $i", "//a eq //b",
		"//a[", "//a]", "'open", "//u:a", "if (//a) then 1 else 2", strings.Repeat("/a", 3000),
	} {
		if p, err := xmltree.NewPath(expression, nil); err == nil {
			t.Errorf("%.40q was accepted as %s", expression, p)
		}
	}
	for _, expression := range []string{"/to/for/if", "//id", "//is[@to='1']", "to", "//a[lang='x']"} {
		if _, err := xmltree.NewPath(expression, nil); err != nil {
			t.Errorf("%s: %v", expression, err)
		}
	}
}

// TestXPathEnds holds that an expression that visits the tree again for each node of it,
// again and again, is given up.
func TestXPathEnds(t *testing.T) {
	r := root(t, "<r>"+strings.Repeat("<a/>", 200)+"</r>").Detach()
	path, err := xmltree.NewPath(strings.Repeat("//*[count(", 20)+"//*"+strings.Repeat(") > 0]", 20), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := path.Evaluate(r, r); err == nil || !strings.Contains(err.Error(), "too many steps") {
		t.Errorf("%v", err)
	}
}

func FuzzXPath(f *testing.F) {
	for _, seed := range []string{"//a[@n='1']/text()", "count(//*)", "/r/p:a[position()<2]|//b", "string(//a/following-sibling::*)", "sum(//@n) * 2 - 1", "//a[contains(., 'x') and not(@n)]"} {
		f.Add(seed)
	}
	parsed, err := xmltree.Parse([]byte(doc), xmltree.Limits{})
	if err != nil {
		f.Fatal(err)
	}
	content := parsed.Detach()
	f.Fuzz(func(t *testing.T, expression string) {
		path, err := xmltree.NewPath(expression, map[string]string{"p": "urn:p"})
		if err != nil {
			return
		}
		_, _, _ = path.Evaluate(content, content)
	})
}
