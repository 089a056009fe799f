package xacml

import (
	"github.com/behalf-authz/behalf/server/internal/xacml/function"
	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

// AttributeUse is an attribute that a policy asks for.
type AttributeUse struct {
	Category string
	ID       string // of the attribute, "" for a selector
	Path     string // of a selector
	DataType string
	Issuer   string
	Must     bool // its absence makes the policy Indeterminate
	Line     int
}

// designator is an AttributeDesignator.
type designator struct {
	AttributeUse
	kind value.Kind
}

func (d *designator) typ() function.Type { return function.Type{Kind: d.kind, Bag: true} }

// evaluate collects the values that the request has for the attribute (core, 7.3.5).
func (d *designator) evaluate(e *evaluation) (function.Operand, *Status) {
	var bag []value.Value
	for i := range e.request.Categories {
		c := &e.request.Categories[i]
		if c.Category != d.Category {
			continue
		}
		for j := range c.Attributes {
			a := &c.Attributes[j]
			if a.ID != d.ID || d.Issuer != "" && a.Issuer != d.Issuer {
				continue
			}
			var status *Status
			if bag, status = d.collect(bag, a); status != nil {
				return function.Operand{}, status
			}
		}
	}
	if len(bag) == 0 && d.Category == EnvironmentCategory && d.Issuer == "" {
		if v, ok := e.clock(d.ID, d.kind); ok {
			bag = append(bag, v)
		}
	}
	return d.present(bag)
}

// collect adds the values of a that are of the right type.
func (d *designator) collect(bag []value.Value, a *Attribute) ([]value.Value, *Status) {
	for k := range a.Values {
		v := &a.Values[k]
		if v.DataType != d.DataType && (d.kind == value.Unknown || value.KindOf(v.DataType) != d.kind) {
			continue
		}
		read, err := v.read(d.kind)
		if err != nil {
			return nil, &Status{Code: StatusSyntaxError, Message: "attribute " + d.ID + " of the request: " + err.Error()}
		}
		bag = append(bag, read)
	}
	return bag, nil
}

// present gives the bag, unless it is empty and must not be.
func (u *AttributeUse) present(bag []value.Value) (function.Operand, *Status) {
	if len(bag) == 0 && u.Must {
		name := u.ID
		if name == "" {
			name = u.Path
		}
		return function.Operand{}, &Status{
			Code: StatusMissingAttribute, Message: "the request has no " + name + " in category " + u.Category,
			Missing: []MissingAttribute{{Category: u.Category, ID: name, DataType: u.DataType, Issuer: u.Issuer}},
		}
	}
	return function.Operand{Bag: bag}, nil
}

// The attributes of the environment that every request has (core, 10.2.5).
const (
	currentTime     = "urn:oasis:names:tc:xacml:1.0:environment:current-time"
	currentDate     = "urn:oasis:names:tc:xacml:1.0:environment:current-date"
	currentDateTime = "urn:oasis:names:tc:xacml:1.0:environment:current-dateTime"
)

// clock gives the instant of the request to a policy that asks for it, if the request
// does not say it itself. All parts are of one instant.
func (e *evaluation) clock(id string, kind value.Kind) (value.Value, bool) {
	now := e.options.Now
	if now.IsZero() {
		return value.Value{}, false
	}
	if e.current[0].Kind() == value.Unknown {
		e.current = [3]value.Value{value.OfClock(now), value.OfDay(now), value.OfInstant(now)}
	}
	switch {
	case id == currentTime && kind == value.Time:
		return e.current[0], true
	case id == currentDate && kind == value.Date:
		return e.current[1], true
	case id == currentDateTime && kind == value.DateTime:
		return e.current[2], true
	}
	return value.Value{}, false
}
