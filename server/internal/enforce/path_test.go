package enforce_test

import (
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/enforce"
)

func TestPathsOfOneReading(t *testing.T) {
	for target, want := range map[string]string{
		"/": "/", "/?a=/../b": "/", "/a": "/a", "/a/": "/a", "/a/b?c=//d": "/a/b", "/a%20b": "/a b", "/%61dmin": "/admin",
		"/a.b/..c/...": "/a.b/..c/...", "/%C3%A6": "/æ", "/a+b/c=d,e": "/a+b/c=d,e",
	} {
		p, err := enforce.ParsePath(target)
		if err != nil || p.String() != want {
			t.Errorf("%q: %q, %v", target, p, err)
		}
	}
}

// doubtfulTargets are targets that servers read in more than one way.
var doubtfulTargets = []string{
	"", "?", "a", "*", "http://api.example.com/a", "//", "//a", "/a//b", "/a//", "/./a", "/a/.", "/a/./b", "/..", "/a/..", "/a/../b", "/a/..?x",
	"/%2e%2e/a", "/a/%2E", "/a/.%2e/b", "/a%2Fb", "/a%2fb", "/%2f", "/a%5Cb", "/a%5cb", `/a\b`, `/a\..\b`, "/a;b", "/a;/b", "/a%3Bb", "/a;x=..",
	"/a%00", "/a%0a", "/a%0D%0Ab", "/a%7f", "/a%1", "/a%", "/a%zz", "/a%252e%252e/b", "/a%25", "/%252f", "/a%c0%ae%c0%ae/", "/%c0%af", "/%ff",
	"/a b", "/a\tb", "/a\x00b", "/a\x7f", "/\xc3\xa6", "/a#b", "/a%u002e", "/%e2%80%8b", "/%e2%80%ae", "/%ef%bc%8e%ef%bc%8e", "/%e2%88%95",
	"/" + strings.Repeat("a", 9<<10),
}

func TestPathsThatAreRefused(t *testing.T) {
	for _, target := range doubtfulTargets {
		if p, err := enforce.ParsePath(target); err == nil {
			t.Errorf("%q was read as %q", target, p)
		}
	}
}

// FuzzParsePath holds that a path that is taken is read the same way once it is written down
// as it was understood, and has nothing in it that leads elsewhere.
func FuzzParsePath(f *testing.F) {
	for _, target := range append(doubtfulTargets, "/a", "/%C3%A6/b?x") {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		p, err := enforce.ParsePath(target)
		if err != nil {
			return
		}
		text := p.String()
		if strings.Contains(text, "//") || strings.ContainsAny(text, "\\;%\x00\r\n") || strings.Contains(text+"/", "/../") || strings.Contains(text+"/", "/./") {
			t.Errorf("%q was read as %q", target, text)
		}
	})
}
