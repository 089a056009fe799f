package registerfile_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
)

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestOpen(t *testing.T) {
	const text = "first\nsecond\n"
	var zipped bytes.Buffer
	// Two members one after the other are one file, as `cat a.gz b.gz` makes them.
	for _, part := range []string{"first\n", "second\n"} {
		w := gzip.NewWriter(&zipped)
		if _, err := w.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string][]byte{
		"plain": []byte(text), "marked": []byte("\xef\xbb\xbf" + text), "zipped": zipped.Bytes(),
	} {
		f, err := registerfile.Open(write(t, name, content))
		if err != nil {
			t.Fatal(err)
		}
		if head := string(f.Peek(5)); head != "first" {
			t.Errorf("%s begins with %q", name, head)
		}
		got, err := io.ReadAll(f)
		if err != nil || string(got) != text {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if done, size := f.Position(); done != size || size != int64(len(content)) {
			t.Errorf("%s: at %d of %d, want %d", name, done, size, len(content))
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, want := range map[string]string{
		write(t, "x.zip", []byte("PK\x03\x04...")):       "is a zip archive; unpack it, plain and gzip files are read",
		write(t, "x.gz", []byte("\x1f\x8b\x00\x00\x00")): "read gzip:",
		t.TempDir():                     "is a directory; name a file",
		filepath.Join(t.TempDir(), "x"): "no such file",
	} {
		_, err := registerfile.Open(name)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

// TestUnreadableIsAllowed makes an entry about the worst of lines: what is reported of a
// bad entry must itself keep the contract.
func TestUnreadableIsAllowed(t *testing.T) {
	long := strings.Repeat("å\xff", 5000)
	place := registerfile.Place{File: "x", Line: 1, Reference: long}
	entry := place.Unreadable(long, long)
	if again := place.Checked(entry); again != entry {
		t.Errorf("refused: %v", again.GetUnreadable().GetMessage())
	}
}
