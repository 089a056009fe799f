package function

import (
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

// maxBag bounds the bags that set functions compare pair by pair.
const maxBag = 10_000

// bags adds the functions of A.3.10 and A.3.11 for every data type.
func (b *builder) bags() {
	for k := value.String; k <= value.DNSName; k++ {
		version, name := versionOf(k), k.String()
		b.put(version, name+"-one-and-only", one(k), []Type{bag(k)}, oneAndOnly)
		b.put(version, name+"-bag-size", one(value.Integer), []Type{bag(k)}, func(args []Operand) (Operand, error) {
			return Operand{Value: value.OfInt(int64(len(args[0].Bag)))}, nil
		})
		f := b.put(version, name+"-bag", bag(k), ones(k, 1), func(args []Operand) (Operand, error) {
			values := make([]value.Value, len(args))
			for i, arg := range args {
				values[i] = arg.Value
			}
			return Operand{Bag: values}, nil
		})
		f.Variadic = true
		if k <= value.X500Name { // those that can be compared
			b.test(version, name+"-is-in", []Type{one(k), bag(k)}, func(args []Operand) bool {
				return contains(args[1].Bag, args[0].Value)
			})
			b.sets(version, k)
		}
	}
}

func oneAndOnly(args []Operand) (Operand, error) {
	if n := len(args[0].Bag); n != 1 {
		return Operand{}, fmt.Errorf("the bag has %d values instead of one", n)
	}
	return Operand{Value: args[0].Bag[0]}, nil
}

func (b *builder) sets(version string, k value.Kind) {
	two, name := []Type{bag(k), bag(k)}, k.String()
	answers := map[string]func(x, y []value.Value) bool{
		"-at-least-one-member-of": func(x, y []value.Value) bool { return anyIn(x, y) },
		"-subset":                 subset,
		"-set-equals":             func(x, y []value.Value) bool { return subset(x, y) && subset(y, x) },
	}
	for suffix, answer := range answers {
		b.put(version, name+suffix, one(value.Boolean), two, func(args []Operand) (Operand, error) {
			if err := bounded(args); err != nil {
				return Operand{}, err
			}
			return truth(answer(args[0].Bag, args[1].Bag)), nil
		})
	}
	b.put(version, name+"-intersection", bag(k), two, func(args []Operand) (Operand, error) {
		if err := bounded(args); err != nil {
			return Operand{}, err
		}
		var both []value.Value
		for _, v := range args[0].Bag {
			if contains(args[1].Bag, v) && !contains(both, v) {
				both = append(both, v)
			}
		}
		return Operand{Bag: both}, nil
	})
	f := b.put(version, name+"-union", bag(k), []Type{bag(k)}, func(args []Operand) (Operand, error) {
		if err := bounded(args); err != nil {
			return Operand{}, err
		}
		var all []value.Value
		for _, arg := range args {
			for _, v := range arg.Bag {
				if !contains(all, v) {
					all = append(all, v)
				}
			}
		}
		return Operand{Bag: all}, nil
	})
	f.Variadic, f.Least = true, 2
}

func bounded(args []Operand) error {
	for _, arg := range args {
		if len(arg.Bag) > maxBag {
			return fmt.Errorf("a bag has more than %d values", maxBag)
		}
	}
	return nil
}

func contains(values []value.Value, v value.Value) bool {
	for i := range values {
		if value.Equal(values[i], v) {
			return true
		}
	}
	return false
}

func anyIn(x, y []value.Value) bool {
	for _, v := range x {
		if contains(y, v) {
			return true
		}
	}
	return false
}

func subset(x, y []value.Value) bool {
	for _, v := range x {
		if !contains(y, v) {
			return false
		}
	}
	return true
}
