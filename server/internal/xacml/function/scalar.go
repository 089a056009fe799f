package function

import (
	"errors"
	"math"
	"math/bits"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

// equality adds the functions of A.3.1.
func (b *builder) equality() {
	for k := value.String; k <= value.X500Name; k++ {
		b.test(versionOf(k), k.String()+"-equal", ones(k, 2), func(args []Operand) bool {
			return value.Equal(args[0].Value, args[1].Value)
		})
	}
	b.test(v3, "string-equal-ignore-case", ones(value.String, 2), func(args []Operand) bool {
		// Lower case as string-normalize-to-lower-case makes it; EqualFold equals more.
		lower := strings.ToLower(args[0].Value.Text())
		return lower == strings.ToLower(args[1].Value.Text())
	})
}

var (
	errOverflow = errors.New("the result does not fit 64 bits")
	errZero     = errors.New("division by zero")
)

// arithmetic adds the functions of A.3.2.
func (b *builder) arithmetic() {
	integers := map[string]func(x, y int64) (int64, error){
		"add": addInt, "multiply": multiplyInt,
		"subtract": func(x, y int64) (int64, error) {
			if d := x - y; (d < x) == (y > 0) {
				return d, nil
			}
			return 0, errOverflow
		},
		"divide": func(x, y int64) (int64, error) {
			if y == 0 {
				return 0, errZero
			}
			if x == math.MinInt64 && y == -1 {
				return 0, errOverflow
			}
			return x / y, nil
		},
		"mod": func(x, y int64) (int64, error) {
			if y == 0 {
				return 0, errZero
			}
			return x % y, nil
		},
	}
	for name, op := range integers {
		f := b.put(v1, "integer-"+name, one(value.Integer), ones(value.Integer, 2), func(args []Operand) (Operand, error) {
			sum := args[0].Value.Int()
			for _, arg := range args[1:] {
				var err error
				if sum, err = op(sum, arg.Value.Int()); err != nil {
					return Operand{}, err
				}
			}
			return Operand{Value: value.OfInt(sum)}, nil
		})
		f.Variadic, f.Least = name == "add" || name == "multiply", 2
	}
	b.doubles()
}

func addInt(x, y int64) (int64, error) {
	if s := x + y; (s > x) == (y > 0) {
		return s, nil
	}
	return 0, errOverflow
}

func multiplyInt(x, y int64) (int64, error) {
	high, low := bits.Mul64(magnitude(x), magnitude(y))
	if high != 0 || low > math.MaxInt64 {
		return 0, errOverflow
	}
	return x * y, nil
}

func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

func (b *builder) doubles() {
	pairs := map[string]func(x, y float64) float64{
		"add":      func(x, y float64) float64 { return x + y },
		"subtract": func(x, y float64) float64 { return x - y },
		"multiply": func(x, y float64) float64 { return x * y },
		"divide":   func(x, y float64) float64 { return x / y },
	}
	for name, op := range pairs {
		f := b.put(v1, "double-"+name, one(value.Double), ones(value.Double, 2), func(args []Operand) (Operand, error) {
			sum := args[0].Value.Float()
			for _, arg := range args[1:] {
				if name == "divide" && arg.Value.Float() == 0 {
					return Operand{}, errZero
				}
				sum = op(sum, arg.Value.Float())
			}
			return Operand{Value: value.OfFloat(sum)}, nil
		})
		f.Variadic, f.Least = name == "add" || name == "multiply", 2
	}
	singles := map[string]func(float64) float64{
		"double-abs": math.Abs, "floor": math.Floor,
		"round": func(x float64) float64 { return math.Floor(x + 0.5) },
	}
	for name, op := range singles {
		b.put(v1, name, one(value.Double), ones(value.Double, 1), func(args []Operand) (Operand, error) {
			return Operand{Value: value.OfFloat(op(args[0].Value.Float()))}, nil
		})
	}
	b.put(v1, "integer-abs", one(value.Integer), ones(value.Integer, 1), func(args []Operand) (Operand, error) {
		i := args[0].Value.Int()
		if i == math.MinInt64 {
			return Operand{}, errOverflow
		}
		return Operand{Value: value.OfInt(max(i, -i))}, nil
	})
	b.put(v1, "double-to-integer", one(value.Integer), ones(value.Double, 1), func(args []Operand) (Operand, error) {
		f := math.Trunc(args[0].Value.Float())
		if !(f >= math.MinInt64 && f < math.MaxInt64) {
			return Operand{}, errOverflow
		}
		return Operand{Value: value.OfInt(int64(f))}, nil
	})
	b.put(v1, "integer-to-double", one(value.Double), ones(value.Integer, 1), func(args []Operand) (Operand, error) {
		return Operand{Value: value.OfFloat(float64(args[0].Value.Int()))}, nil
	})
}

// order adds the comparisons of A.3.6 and A.3.8.
func (b *builder) order() {
	answers := map[string]func(order int) bool{
		"-greater-than":          func(o int) bool { return o > 0 },
		"-greater-than-or-equal": func(o int) bool { return o >= 0 },
		"-less-than":             func(o int) bool { return o < 0 },
		"-less-than-or-equal":    func(o int) bool { return o <= 0 },
	}
	for _, k := range []value.Kind{value.Integer, value.Double, value.String, value.Time, value.Date, value.DateTime} {
		for name, answer := range answers {
			b.test(v1, k.String()+name, ones(k, 2), func(args []Operand) bool {
				x, y := args[0].Value, args[1].Value
				if k == value.Double && math.IsNaN(x.Float()) != math.IsNaN(y.Float()) {
					return false // NaN has no order with numbers
				}
				return answer(value.Compare(x, y))
			})
		}
	}
	b.test(v2, "time-in-range", ones(value.Time, 3), func(args []Operand) bool {
		return value.TimeInRange(args[0].Value, args[1].Value, args[2].Value)
	})
}

// calendar adds the functions of A.3.7.
func (b *builder) calendar() {
	for _, at := range []value.Kind{value.DateTime, value.Date} {
		for _, by := range []value.Kind{value.DayTimeDuration, value.YearMonthDuration} {
			if at == value.Date && by == value.DayTimeDuration {
				continue
			}
			for name, sign := range map[string]int64{"-add-": 1, "-subtract-": -1} {
				b.put(v3, at.String()+name+by.String(), one(at), []Type{one(at), one(by)}, func(args []Operand) (Operand, error) {
					moved, err := value.Add(args[0].Value, args[1].Value, sign)
					return Operand{Value: moved}, err
				})
			}
		}
	}
}
