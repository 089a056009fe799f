package provider_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/authn/provider"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// TestReaching turns a level that a route needs into what the provider calls it.
func TestReaching(t *testing.T) {
	p, err := provider.New(provider.Config{Logger: slog.New(slog.DiscardHandler), Entry: provider.Entry{
		Name: "idporten", Issuer: "https://idporten.example", Levels: provider.LevelMap{
			ACR: map[string]int{"high": 4, "substantial": 3, "also-high": 4, "none": 0, "urn:altinn:authlevel:2": 2},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[string]string{
		"":                                   "",
		"high":                               "high",
		"none":                               "none",
		"urn:altinn:authlevel:4":             "also-high high",
		"urn:altinn:authlevel:3":             "substantial also-high high",
		"urn:altinn:authlevel:1":             "urn:altinn:authlevel:2 substantial also-high high",
		"urn:altinn:authlevel:2":             "urn:altinn:authlevel:2", // as the file has it
		"substantial urn:altinn:authlevel:4": "substantial also-high high",
	} {
		got, err := p.Reaching(strings.Fields(asked))
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %q, %v", asked, got, err)
		}
	}
	for _, asked := range []string{"other", "urn:altinn:authlevel:", "urn:altinn:authlevel:0", "urn:altinn:authlevel:5", "urn:altinn:authlevel:x"} {
		if got, err := p.Reaching([]string{asked}); fault.KindOf(err) != fault.Invalid || got != nil {
			t.Errorf("%q: %q, %v", asked, got, err)
		}
	}
	low, err := provider.New(provider.Config{Logger: slog.New(slog.DiscardHandler), Entry: provider.Entry{Name: "low", Issuer: "https://low.example"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := low.Reaching([]string{"urn:altinn:authlevel:1"}); fault.KindOf(err) != fault.Denied {
		t.Errorf("a level that nobody reaches: %v", err)
	}
}
