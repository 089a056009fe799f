package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cespare/xxhash/v2"
)

const (
	// sumSize is how many bytes a page keeps free at its end for its checksum. A database
	// says so itself, at reservedAt of its first page.
	sumSize    = 8
	reservedAt = 20

	headerSize  = 100
	leastPage   = 512
	pendingByte = 0x40000000 // its page is for locks and never written
)

// pageSum returns the checksum of a page: of all that it holds and of its number, so that a
// page in the place of another is not taken for it.
func pageSum(page []byte, number int64) uint64 {
	return xxhash.Sum64(page[:len(page)-sumSize]) ^ uint64(number)*0x9E3779B97F4A7C15
}

// seal writes a page's checksum to its end.
func seal(page []byte, number int64) {
	binary.LittleEndian.PutUint64(page[len(page)-sumSize:], pageSum(page, number))
}

// sealed reports whether a page is what seal has left.
func sealed(page []byte, number int64) bool {
	return binary.LittleEndian.Uint64(page[len(page)-sumSize:]) == pageSum(page, number)
}

// sealedFirst reports whether a database's first page was sealed and says no more that it is.
func sealedFirst(page []byte) bool {
	said := page[reservedAt]
	page[reservedAt] = sumSize
	is := said != sumSize && sealed(page, 1)
	page[reservedAt] = said
	return is
}

// claims reports whether the beginning of a file says that it is a database whose pages have
// checksums.
func claims(b []byte) bool {
	return len(b) >= headerSize && string(b[:16]) == "SQLite format 3\x00" && b[reservedAt] == sumSize
}

// isPage reports whether n bytes at an offset are a page, and which.
func isPage(n int, offset int64) (number int64, ok bool) {
	if n < leastPage || n&(n-1) != 0 || offset%int64(n) != 0 {
		return 0, false
	}
	return offset/int64(n) + 1, true
}

// BrokenPage returns the number of the first page in a database's file that is not what was
// written there, and 0 when there is none or when the pages have no checksums. A page of
// zeros is named last: it may be one that is free and was never written. BrokenPage says
// which page it was after SQLite has failed to read one.
func BrokenPage(path string) (number int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	header := make([]byte, headerSize)
	if _, err := file.ReadAt(header, 0); err != nil {
		return 0, fmt.Errorf("read the header: %w", err)
	}
	size := int(binary.BigEndian.Uint16(header[16:]))
	if size == 1 {
		size = 1 << 16
	}
	if _, ok := isPage(size, 0); !ok {
		return 1, nil // no size of a page at all
	}
	var blank int64
	page := make([]byte, size)
	for number = 1; ; number++ {
		_, err := file.ReadAt(page, (number-1)*int64(size))
		switch {
		case errors.Is(err, io.EOF):
			return blank, nil
		case err != nil:
			return number, nil // the disk itself cannot say
		case number == 1 && page[reservedAt] != sumSize && !sealedFirst(page):
			return 0, nil
		case sealed(page, number) || number == pendingByte/int64(size)+1:
		case !empty(page):
			return number, nil
		case blank == 0:
			blank = number
		}
	}
}
