package certificate

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"time"
)

// lasts returns until when clients take a chain, or why they do not now. It judges what each of
// them needs of the file: the certificate, and the link that signed it, of which there may be several
// of one key. What is above, a client may have itself as a root: authorities leave links there that an
// older root signed, for old clients, and these expire while the rest is good. A root in the file says
// nothing, as clients go by their own.
func lasts(chain []*x509.Certificate, now time.Time) (time.Time, error) {
	leaf := chain[0]
	if err := current(leaf, now); err != nil {
		return time.Time{}, err
	}
	var until time.Time
	var stale error
	for _, link := range chain[1:] {
		switch err := current(link, now); {
		case !signed(link, leaf):
		case signed(link, link):
			return leaf.NotAfter, nil
		case err != nil:
			stale = fmt.Errorf("%s, which signed it: %w", link.Subject, err)
		case link.NotAfter.After(until):
			until = link.NotAfter
		}
	}
	switch {
	case until.IsZero() && stale != nil:
		return time.Time{}, stale
	case until.IsZero() || leaf.NotAfter.Before(until):
		return leaf.NotAfter, nil
	}
	return until, nil
}

// current returns why a certificate does not hold at a time.
func current(c *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(c.NotBefore):
		return fmt.Errorf("not valid before %s", c.NotBefore.Format(time.RFC3339))
	case now.After(c.NotAfter):
		return fmt.Errorf("expired at %s", c.NotAfter.Format(time.RFC3339))
	}
	return nil
}

// signed reports whether a certificate signed another.
func signed(by, c *x509.Certificate) bool {
	return bytes.Equal(by.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(by) == nil
}
