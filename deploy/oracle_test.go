package deploy_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// may says who the service is to be told of when the request passes, and whether it may: what
// the routes say, in as few words. The method, host and path are a service's reading of the
// request, parties are those that it names.
func may(known bool, method, host, path string, parties []string) (identity string, ok bool) {
	name, _, _ := strings.Cut(strings.ToLower(host), ":")
	segments := strings.Split(strings.Trim(path, "/"), "/")
	who := "||||"
	if known {
		who = fmt.Sprintf("%d|3|||", kari)
	}
	switch {
	case name == "other.example.com": // whose routes alone decide
		return who, method == "GET" && path == "/x"
	case segments[0] == "open" && len(segments) > 1 && segments[1] == "admin":
		return "", false
	case segments[0] == "open":
		return who, true
	case !known:
		return "", false
	case segments[0] == "me" && len(segments) == 1:
		return who, method == "GET" || method == "POST"
	case segments[0] == "docs":
		return who, method == "GET"
	case segments[0] == "for" && len(segments) > 1:
		return actingFor(segments[1], method == "GET" || method == "POST")
	case segments[0] == "act" && len(segments) == 1 && len(parties) == 0:
		return actingFor(fmt.Sprint(kariParty), method == "GET")
	case segments[0] == "act" && len(segments) == 1 && len(parties) == 1:
		return actingFor(strings.TrimSpace(parties[0]), method == "GET")
	}
	return "", false
}

// actingFor returns what is told of Kari when she acts for a party.
func actingFor(party string, ok bool) (string, bool) {
	number := map[string]string{fmt.Sprint(kariParty): uuid + "01|", fmt.Sprint(fjellheim): uuid + "02|910042963", fmt.Sprint(unit): uuid + "03|910042971"}
	rest, represented := number[party]
	return fmt.Sprintf("%d|3|%s|%s", kari, party, rest), ok && represented
}

// readings returns the paths that one service or another takes a request's target for.
func readings(target string) []string {
	if absolute, err := url.Parse(target); err == nil && absolute.IsAbs() {
		target = absolute.RequestURI()
	}
	raw, _, _ := strings.Cut(target, "?")
	whole, _, _ := strings.Cut(raw, "#")
	all := []string{raw, whole}
	for i := 0; i < len(all) && len(all) < 200; i++ {
		for _, read := range []func(string) string{unescaped, forward, withoutParameters, merged, resolved, folded, cut} {
			if path := read(all[i]); !slices.Contains(all, path) {
				all = append(all, path)
			}
		}
	}
	return all
}

func unescaped(path string) string {
	if text, err := url.PathUnescape(path); err == nil {
		return text
	}
	return path
}

func forward(path string) string { return strings.ReplaceAll(path, `\`, "/") }

func merged(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

func withoutParameters(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i], _, _ = strings.Cut(s, ";")
	}
	return strings.Join(segments, "/")
}

// resolved removes dot segments, and leaves empty ones.
func resolved(path string) string {
	var kept []string
	for s := range strings.SplitSeq(path, "/") {
		switch s {
		case ".":
		case "..":
			if len(kept) > 1 {
				kept = kept[:len(kept)-1]
			}
		default:
			kept = append(kept, s)
		}
	}
	return strings.Join(kept, "/")
}

// folded reads the characters of full width as those of ASCII.
func folded(path string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xff00 && r < 0xff5f {
			return r - 0xfee0
		}
		return r
	}, path)
}

// cut ends a path where C does.
func cut(path string) string {
	before, _, _ := strings.Cut(path, "\x00")
	return before
}

// methodHeaders, pathHeaders and hostHeaders are in what some services act on, in the place of the request itself.
var (
	methodHeaders = []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"}
	pathHeaders   = []string{"X-Original-URL", "X-Original-URI", "X-Rewrite-URL", "X-Forwarded-Uri"}
	hostHeaders   = []string{"X-Forwarded-Host"}
)

// violation says what is wrong with a request that has reached the service, empty when nothing is.
func violation(known bool, s seen) string {
	methods, targets, hosts := []string{s.Method}, []string{s.Target}, []string{s.Host}
	for _, name := range methodHeaders {
		methods = append(methods, s.values(name)...)
	}
	for _, name := range pathHeaders {
		targets = append(targets, s.values(name)...)
	}
	for _, name := range hostHeaders {
		hosts = append(hosts, s.values(name)...)
	}
	for _, protocol := range s.values("Upgrade") {
		if len(s.values("Connection")) > 0 && !strings.EqualFold(protocol, "websocket") {
			return "the service may take what follows for requests over " + protocol
		}
	}
	parties := s.values("Behalf-Party")
	if len(parties) == 0 {
		parties = s.chosen()
	}
	for _, target := range targets {
		for _, path := range readings(target) {
			for _, host := range hosts {
				for _, method := range methods {
					want, ok := may(known, strings.ToUpper(method), host, path, parties)
					if !ok {
						return fmt.Sprintf("%s %s%q is reached", method, host, path)
					}
					if got := s.identity(); got != want {
						return fmt.Sprintf("at %q the service is told %q, not %q", path, got, want)
					}
				}
			}
		}
	}
	return ""
}
