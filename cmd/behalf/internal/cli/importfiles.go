package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/brreg"
	"github.com/behalf-authz/behalf/cmd/behalf/internal/native"
	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// openFlags say how files are to be read.
type openFlags struct {
	format, kind, source, mergePersons string
}

func (o *openFlags) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.format, "format", "", "native, brreg or altinn-world (default: found out from the file)")
	flags.StringVar(&o.kind, "kind", "", "which bulk file a brreg file is: enheter, underenheter or roller (default: found out from the file)")
	flags.StringVar(&o.source, "source", "", "the source whose truth the files are (default: what they say)")
	flags.StringVar(&o.mergePersons, "merge-persons", "", "name-birthdate makes one person of all in brreg files who share both; for trials")
}

func (o *openFlags) validate() error {
	var faults []error
	if o.format != "" && o.format != "native" && o.format != "brreg" && o.format != altinnFormat {
		faults = append(faults, fmt.Errorf("--format: %q is not native, brreg or altinn-world", o.format))
	}
	if o.kind != "" {
		if _, err := brreg.ParseKind(o.kind); err != nil {
			faults = append(faults, fmt.Errorf("--kind: %w", err))
		}
	}
	if o.mergePersons != "" && o.mergePersons != "name-birthdate" {
		faults = append(faults, fmt.Errorf("--merge-persons: %q is not name-birthdate", o.mergePersons))
	}
	if len(faults) > 0 {
		return usage(errors.Join(faults...))
	}
	return nil
}

// entries reads the entries of one file.
type entries interface {
	Source() string
	Next() (*behalfv1.ImportEntry, error)
}

// registerFile is an open file with the reader of its format. What is not read from one
// file has none.
type registerFile struct {
	entries
	file *registerfile.File
}

// registerFiles are the files of one import.
type registerFiles struct {
	files []registerFile
}

// open opens all files before any is sent, so that a name that is wrong costs nothing,
// and reports all that cannot be opened.
func (o *openFlags) open(names []string) (*registerFiles, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	opened := &registerFiles{}
	var faults []error
	for _, name := range names {
		f, err := registerfile.Open(name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		r, err := o.reader(f)
		opened.files = append(opened.files, registerFile{r, f})
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return opened, nil
}

func (o *openFlags) reader(f *registerfile.File) (entries, error) {
	format := o.format
	if format == "" {
		format = "native"
		if o.kind != "" || brreg.Looks(f.Peek(1<<12)) {
			format = "brreg"
		}
	}
	if format == "native" {
		return native.NewReader(f, f.Name(), o.source)
	}
	return brreg.NewReader(f, brreg.Config{
		File: f.Name(), Kind: brreg.Kind(o.kind), Source: o.source, MergePersons: o.mergePersons != "",
	})
}

// position returns how much of all files has been read, in bytes; size is 0 when it is
// not known.
func (f *registerFiles) position() (done, size int64) {
	for _, file := range f.files {
		if file.file == nil {
			continue
		}
		d, s := file.file.Position()
		if s == 0 {
			return 0, 0
		}
		done, size = done+d, size+s
	}
	return done, size
}

// leftOut returns what the files hold that is no assignment.
func (f *registerFiles) leftOut() (sum brreg.LeftOut) {
	for _, file := range f.files {
		if r, ok := file.entries.(*brreg.Reader); ok {
			left := r.LeftOut()
			sum.Resigned += left.Resigned
			sum.Dead += left.Dead
			sum.StruckOff += left.StruckOff
		}
	}
	return sum
}

// Close closes the files.
func (f *registerFiles) Close() error {
	var faults []error
	for _, file := range f.files {
		if file.file != nil {
			faults = append(faults, file.file.Close())
		}
	}
	return errors.Join(faults...)
}
