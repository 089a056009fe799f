package assert

import (
	"context"
	"errors"
	"fmt"

	"github.com/authzed/spicedb/pkg/datalayer"
	"github.com/authzed/spicedb/pkg/development"
	developer "github.com/authzed/spicedb/pkg/proto/developer/v1"
	"github.com/authzed/spicedb/pkg/validationfile"
)

// Failure is one thing that a validation file says and that is not so.
type Failure struct {
	Line    int    // in the file, 0 when not known
	Message string // what is wrong
	Context string // the text that it is about
}

// String returns "line N: message: context", without what is missing or said already.
func (f Failure) String() string {
	text := f.Message
	if f.Context != "" {
		text += ": " + f.Context
	}
	if f.Line > 0 {
		text = fmt.Sprintf("line %d: %s", f.Line, text)
	}
	return text
}

// Result is what judging a file found.
type Result struct {
	Assertions int // how many were judged, those that failed included
	Failures   []Failure
}

// Schema compiles the schema as the server would and says what is wrong with it.
func Schema(ctx context.Context, schema string) ([]Failure, error) {
	dev, faults, err := development.NewDevContext(ctx, &developer.RequestContext{Schema: schema})
	if err != nil {
		return nil, fmt.Errorf("compile schema: %w", err)
	}
	if faults != nil {
		return failures(faults.GetInputErrors()), nil
	}
	dev.Dispose()
	return nil, nil
}

// Run judges the text of a validation file. A file that brings no schema of its own is
// judged under the one given. A file without any assertion is an error: it could not fail.
func Run(ctx context.Context, schema string, file []byte) (result Result, err error) {
	parsed, err := validationfile.DecodeValidationFile(file)
	if err != nil {
		return Result{}, fmt.Errorf("read validation file: %w", err)
	}
	if parsed.SchemaFile != "" {
		return Result{}, errors.New("schemaFile is not supported: put the schema into the file, or leave it out for Behalf's own")
	}
	if parsed.Schema.Schema == "" {
		parsed.Schema.Schema = schema
	}
	a := parsed.Assertions
	result.Assertions = len(a.AssertTrue) + len(a.AssertFalse) + len(a.AssertCaveated) + len(parsed.ExpectedRelations.ValidationMap)
	if result.Assertions == 0 {
		return Result{}, errors.New("the validation file asserts nothing")
	}
	dev, faults, err := development.NewDevContextForValidationFile(ctx, parsed)
	if err != nil {
		return Result{}, fmt.Errorf("load validation file: %w", err)
	}
	if faults != nil {
		result.Failures = failures(faults.GetInputErrors())
		return result, nil
	}
	defer dev.DevContext.Dispose()
	layer, err := freeze(dev.DevContext.Ctx, dev.DevContext.DataLayer, dev.DevContext.Revision)
	if err != nil {
		return Result{}, fmt.Errorf("read schema back: %w", err)
	}
	dev.DevContext.DataLayer = layer
	dev.DevContext.Ctx = datalayer.ContextWithDataLayer(dev.DevContext.Ctx, layer)
	asserted, err := development.RunAllAssertions(dev.DevContext, &dev.Assertions)
	if err != nil {
		return Result{}, fmt.Errorf("run assertions: %w", err)
	}
	_, expected, err := development.RunValidation(dev.DevContext, &dev.ExpectedRelations)
	if err != nil {
		return Result{}, fmt.Errorf("run validation: %w", err)
	}
	result.Failures = append(failures(asserted), failures(expected)...)
	return result, nil
}

func failures(found []*developer.DeveloperError) []Failure {
	list := make([]Failure, 0, len(found))
	for _, e := range found {
		list = append(list, Failure{Line: int(e.GetLine()), Message: e.GetMessage(), Context: e.GetContext()})
	}
	return list
}
