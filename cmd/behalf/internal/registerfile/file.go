package registerfile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

// File is an open register file. It is read as text, whether or not the file is
// compressed.
type File struct {
	name  string
	file  *os.File
	size  int64
	bytes counter
	text  *bufio.Reader
}

// Open opens a file, plain or gzip, told apart by its first bytes. The name "-" is
// standard input.
func Open(name string) (*File, error) {
	f := &File{name: name, file: os.Stdin}
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		f.file = file
	}
	if err := f.start(); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

func (f *File) start() error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("is a directory; name a file")
	}
	if info.Mode().IsRegular() {
		f.size = info.Size()
	}
	f.bytes.r = f.file
	f.text, err = Text(&f.bytes)
	return err
}

// Text returns the text of r, which is plain or gzip.
func Text(r io.Reader) (*bufio.Reader, error) {
	const size = 1 << 16
	raw := bufio.NewReaderSize(r, size)
	magic, err := raw.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		unzip, err := gzip.NewReader(raw)
		if err != nil {
			return nil, fmt.Errorf("read gzip: %w", err)
		}
		raw = bufio.NewReaderSize(unzip, size)
	case bytes.HasPrefix(magic, []byte("PK\x03\x04")):
		return nil, fmt.Errorf("is a zip archive; unpack it, plain and gzip files are read")
	}
	if mark, _ := raw.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = raw.Discard(len(mark)) // a byte order mark is no part of the text
	}
	return raw, nil
}

// Name returns the file's name as it was given.
func (f *File) Name() string { return f.name }

// Read reads text.
func (f *File) Read(p []byte) (int, error) { return f.text.Read(p) }

// Peek returns up to n of the next bytes of text without taking them.
func (f *File) Peek(n int) []byte {
	text, _ := f.text.Peek(n) // an error comes back at the read
	return text
}

// Position returns how many bytes of the file have been taken, and its size, 0 when it
// is not known. It may be called while another goroutine reads.
func (f *File) Position() (done, size int64) { return f.bytes.n.Load(), f.size }

// Close closes the file.
func (f *File) Close() error {
	if f.file == os.Stdin {
		return nil
	}
	return f.file.Close()
}

type counter struct {
	r io.Reader
	n atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}
