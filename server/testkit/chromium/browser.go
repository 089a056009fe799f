package chromium

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience is how long a step in the browser may take.
const patience = 30 * time.Second

// Browser is a browser with one tab.
type Browser struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // the driver keeps the tab in it
}

// Open starts a browser that trusts the certificates, beside those that the machine trusts.
func Open(t *testing.T, trusted ...*x509.Certificate) *Browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("needs a browser: apt-get install chromium")
	}
	var keys []string
	for _, c := range trusted {
		sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
		keys = append(keys, base64.StdEncoding.EncodeToString(sum[:]))
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.DisableGPU,
		chromedp.Flag("no-proxy-server", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(keys, ",")))
	if os.Getuid() == 0 { // whom its sandbox does not take
		options = append(options, chromedp.NoSandbox)
	}
	process, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, leave := chromedp.NewContext(process)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the process, whose profile is removed next
		leave()
		end()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return &Browser{t, ctx}
}

// Go opens an address, and returns when the page that it leads to is there.
func (b *Browser) Go(address string) {
	b.t.Helper()
	b.must("open "+address, chromedp.Navigate(address))
}

// Press presses a button or a link, and returns when the page that it leads to is there.
func (b *Browser) Press(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		b.t.Fatalf("press %s: %v, at %s:\n%s", selector, err, b.Address(), b.Text())
	}
}

// Fill types text into a field.
func (b *Browser) Fill(selector, text string) {
	b.t.Helper()
	b.must("fill "+selector, chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Await returns when the page shows what the selector names.
func (b *Browser) Await(selector string) {
	b.t.Helper()
	b.must("see "+selector, chromedp.WaitVisible(chromedp.CSS(selector)))
}

// Address is where the tab is.
func (b *Browser) Address() string { return b.Read("location.href") }

// Text is what the page says.
func (b *Browser) Text() string { return b.Read("document.body.innerText") }

// must takes a step.
func (b *Browser) must(what string, step chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, step); err != nil {
		b.t.Fatalf("%s: %v, at %s:\n%s", what, err, b.Address(), b.Text())
	}
}

// Read returns the string that an expression of JavaScript gives on the page.
func (b *Browser) Read(expression string) string {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		return err.Error()
	}
	return text
}
