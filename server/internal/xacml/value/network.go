package value

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// parseIP reads address [ "/" mask ] [ ":" ports ]. An address of version 6 is in
// brackets, and so is its mask.
func parseIP(text string) (Value, error) {
	if !strings.HasPrefix(text, "[") {
		host, ports, hasPorts := strings.Cut(text, ":")
		address, mask, hasMask := strings.Cut(host, "/")
		if !isV4(address) || hasMask && !isV4(mask) {
			return Value{}, errors.New("want an address such as 192.0.2.1, with /mask and :ports if any")
		}
		return Value{}, portsIf(ports, hasPorts)
	}
	address, rest, err := bracketed(text)
	if err != nil || !isV6(address) {
		return Value{}, errors.New("want an address such as [2001:db8::1]")
	}
	if strings.HasPrefix(rest, "/") {
		mask, after, err := bracketed(rest[1:])
		if err != nil || !isV6(mask) {
			return Value{}, errors.New("want a mask such as [ffff::]")
		}
		rest = after
	}
	if rest != "" && rest[0] != ':' {
		return Value{}, errors.New("want :ports after the address")
	}
	return Value{}, portsIf(strings.TrimPrefix(rest, ":"), rest != "")
}

func bracketed(text string) (inside, rest string, err error) {
	end := strings.IndexByte(text, ']')
	if !strings.HasPrefix(text, "[") || end < 0 {
		return "", "", errors.New("want brackets")
	}
	return text[1:end], text[end+1:], nil
}

func isV4(text string) bool {
	a, err := netip.ParseAddr(text)
	return err == nil && a.Is4()
}

func isV6(text string) bool {
	a, err := netip.ParseAddr(text)
	return err == nil && a.Is6() && a.Zone() == ""
}

// parseDNS reads hostname [ ":" ports ]; the first label may be *.
func parseDNS(text string) (Value, error) {
	host, ports, hasPorts := strings.Cut(text, ":")
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	for i, label := range labels {
		if label == "*" && i == 0 && len(labels) > 1 {
			continue
		}
		if !isLabel(label) {
			return Value{}, errors.New("want a host name such as *.example.org, with :ports if any")
		}
	}
	return Value{}, portsIf(ports, hasPorts)
}

func isLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for i := range len(label) {
		c := label[i]
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return true
}

// portsIf checks a port range: n, n-, -n or n-m.
func portsIf(text string, given bool) error {
	if !given {
		return nil
	}
	low, high, isRange := strings.Cut(text, "-")
	lowest, okLow := port(low, isRange && high != "")
	highest, okHigh := port(high, !isRange || low != "")
	if !okLow || !okHigh || isRange && low != "" && high != "" && lowest > highest {
		return errors.New("want ports such as 80, 80-, -80 or 80-90")
	}
	return nil
}

func port(text string, mayBeAbsent bool) (uint64, bool) {
	if text == "" {
		return 0, mayBeAbsent
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return n, err == nil
}
