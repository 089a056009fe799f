package function

import (
	"fmt"
	"sync"

	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

// Type is the type of an argument or result: a data type, or a bag of it.
type Type struct {
	Kind value.Kind
	Bag  bool
}

// String returns the type in words.
func (t Type) String() string {
	if t.Bag {
		return "bag of " + t.Kind.String()
	}
	return t.Kind.String()
}

// Operand is an argument or a result: a value, or a bag of values.
type Operand struct {
	Value value.Value
	Bag   []value.Value
}

// SyntaxError says that an argument is a text that cannot be read as what it should be.
// The standard gives it a status of its own.
type SyntaxError struct{ cause error }

// Error returns the cause.
func (e *SyntaxError) Error() string { return e.cause.Error() }

// Unwrap returns the cause.
func (e *SyntaxError) Unwrap() error { return e.cause }

// Form says how a function is called.
type Form uint8

// The forms.
const (
	Strict Form = iota // with its arguments evaluated, through Call
	And                // until one argument is false
	Or                 // until one argument is true
	NOf                // until enough arguments are true
	Higher             // its first argument is a function
	XPath              // with the request's content
)

// Function is one function.
type Function struct {
	ID       string
	Name     string // the last part of the identifier
	Form     Form
	Params   []Type // the last one repeats if Variadic
	Variadic bool
	Least    int // number of arguments at least, if Variadic
	Result   Type
	Call     func(args []Operand) (Operand, error)
}

// identifiers of functions and data types begin with these.
const (
	v1 = "urn:oasis:names:tc:xacml:1.0:function:"
	v2 = "urn:oasis:names:tc:xacml:2.0:function:"
	v3 = "urn:oasis:names:tc:xacml:3.0:function:"
)

// library holds all functions. It is built once and never changed.
var library = sync.OnceValue(func() map[string]*Function {
	b := &builder{functions: make(map[string]*Function, 512)}
	b.equality()
	b.arithmetic()
	b.text()
	b.conversions()
	b.order()
	b.calendar()
	b.bags()
	b.matching()
	b.special()
	b.deprecated()
	return b.functions
})

// Lookup returns the function with an identifier.
func Lookup(id string) (*Function, bool) {
	f, ok := library()[id]
	return f, ok
}

// Accepts says why arguments of these types cannot be given to f, nil if they can.
// Functions of the form Higher are checked by their caller.
func (f *Function) Accepts(args []Type) error {
	switch {
	case f.Form == Higher:
		return nil
	case !f.Variadic && len(args) != len(f.Params):
		return fmt.Errorf("%s takes %d arguments and is given %d", f.Name, len(f.Params), len(args))
	case f.Variadic && len(args) < f.Least:
		return fmt.Errorf("%s takes %d arguments at least and is given %d", f.Name, f.Least, len(args))
	}
	for i, arg := range args {
		want := f.Params[min(i, len(f.Params)-1)]
		if arg != want {
			return fmt.Errorf("argument %d of %s must be a %s and is a %s", i+1, f.Name, want, arg)
		}
	}
	return nil
}

// Param returns the type of argument i.
func (f *Function) Param(i int) Type { return f.Params[min(i, len(f.Params)-1)] }

// builder collects the functions.
type builder struct {
	functions map[string]*Function
}

func one(k value.Kind) Type { return Type{Kind: k} }

func bag(k value.Kind) Type { return Type{Kind: k, Bag: true} }

func ones(k value.Kind, n int) []Type {
	types := make([]Type, n)
	for i := range types {
		types[i] = one(k)
	}
	return types
}

func (b *builder) put(version, name string, result Type, params []Type, call func([]Operand) (Operand, error)) *Function {
	f := &Function{ID: version + name, Name: name, Params: params, Result: result, Call: call}
	b.functions[f.ID] = f
	return f
}

// test adds a function of values that answers yes or no and cannot fail.
func (b *builder) test(version, name string, params []Type, call func(args []Operand) bool) {
	b.put(version, name, one(value.Boolean), params, func(args []Operand) (Operand, error) {
		return truth(call(args)), nil
	})
}

// alias gives a function a second identifier.
func (b *builder) alias(id, of string) {
	f, ok := b.functions[of]
	if !ok {
		return
	}
	c := *f
	c.ID = id
	b.functions[id] = &c
}

func truth(yes bool) Operand { return Operand{Value: value.OfBool(yes)} }

// versionOf returns the version under which the functions of a data type were named.
func versionOf(k value.Kind) string {
	switch k {
	case value.DayTimeDuration, value.YearMonthDuration:
		return v3
	case value.IPAddress, value.DNSName:
		return v2
	default:
		return v1
	}
}
