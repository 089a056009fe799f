package value

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math"
	"strconv"
	"strings"
)

func parseBoolean(text string) (Value, error) {
	switch text {
	case "true", "1":
		return Value{num: 1}, nil
	case "false", "0":
		return Value{}, nil
	}
	return Value{}, errors.New("want true or false")
}

// parseInteger reads an integer of 64 bits: XML Schema asks for 18 digits at least.
func parseInteger(text string) (Value, error) {
	digits := strings.TrimPrefix(text, "+")
	if strings.HasPrefix(digits, "-") && digits != text {
		return Value{}, errors.New("two signs")
	}
	i, err := strconv.ParseInt(digits, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return Value{}, errors.New("it does not fit 64 bits")
	}
	if err != nil {
		return Value{}, errors.New("want digits with an optional sign")
	}
	return Value{num: i}, nil
}

func parseDouble(text string) (Value, error) {
	var f float64
	switch text {
	case "INF", "+INF":
		f = math.Inf(1)
	case "-INF":
		f = math.Inf(-1)
	case "NaN":
		f = math.NaN()
	default:
		if strings.Trim(text, "0123456789+-.eE") != "" {
			return Value{}, errors.New("want a decimal number, INF, -INF or NaN")
		}
		var err error
		f, err = strconv.ParseFloat(text, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return Value{}, errors.New("want a decimal number, INF, -INF or NaN")
		}
	}
	return Value{num: int64(math.Float64bits(f))}, nil
}

// parseURI accepts what XML Schema accepts, which is nearly everything.
func parseURI(text string) (Value, error) {
	if strings.ContainsAny(text, " \t\r\n") {
		return Value{}, errors.New("a URI has no spaces")
	}
	return Value{}, nil
}

func parseHex(text string) (Value, error) {
	b, err := hex.DecodeString(text)
	if err != nil {
		return Value{}, errors.New("want pairs of hexadecimal digits")
	}
	return Value{ext: string(b)}, nil
}

func parseBase64(text string) (Value, error) {
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return Value{}, errors.New("want Base64 with padding")
	}
	return Value{ext: string(b)}, nil
}
