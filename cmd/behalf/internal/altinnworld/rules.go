package altinnworld

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// rule is one way in which a rule of a delegation policy permits.
type rule struct {
	subjectAttribute, subject string
	resource, task, instance  string
	action                    string
	other                     string // an attribute of the resource that a right cannot name
}

// xmlMatch is what of a policy matters here. Namespaces are not looked at.
type xmlPolicy struct {
	XMLName xml.Name
	Rules   []struct {
		Effect string `xml:"Effect,attr"`
		AnyOf  []struct {
			AllOf []struct {
				Match []struct {
					Value      string `xml:"AttributeValue"`
					Designator struct {
						ID string `xml:"AttributeId,attr"`
					} `xml:"AttributeDesignator"`
				} `xml:"Match"`
			} `xml:"AllOf"`
		} `xml:"Target>AnyOf"`
	} `xml:"Rule"`
}

// mostRules bounds the ways in which the rules of one policy permit.
const mostRules = 10_000

// rulesOf returns all ways in which a policy permits: of each AnyOf one AllOf.
func rulesOf(text []byte) ([]rule, error) {
	var p xmlPolicy
	if err := xml.Unmarshal(text, &p); err != nil {
		return nil, err
	}
	if p.XMLName.Local != "Policy" {
		return nil, fmt.Errorf("its root is %s", p.XMLName.Local)
	}
	var all []rule
	for _, r := range p.Rules {
		if r.Effect != "Permit" {
			return nil, fmt.Errorf("it has a rule of effect %q", r.Effect)
		}
		ways := []rule{{}}
		for _, any := range r.AnyOf {
			var longer []rule
			for _, way := range ways {
				for _, allOf := range any.AllOf {
					with := way
					for _, m := range allOf.Match {
						with.match(m.Designator.ID, strings.TrimSpace(m.Value))
					}
					longer = append(longer, with)
				}
			}
			if ways = longer; len(ways)+len(all) > mostRules {
				return nil, fmt.Errorf("it permits in more than %d ways", mostRules)
			}
		}
		all = append(all, ways...)
	}
	return slices.Clip(all), nil
}

func (r *rule) match(attribute, value string) {
	switch attribute {
	case "urn:altinn:org":
		r.resource = "app_" + value + strings.TrimPrefix(r.resource, "app_")
	case "urn:altinn:app":
		if r.resource == "" {
			r.resource = "app_"
		}
		r.resource += "_" + value
	case "urn:altinn:resource":
		r.resource = value
	case "urn:altinn:task", "urn:altinn:end-event": // a right names either as its task
		r.task = value
	case "urn:altinn:resource:instance-id", "urn:altinn:instance-id":
		r.instance = value[strings.LastIndexAny(value, ":/")+1:]
	case "urn:oasis:names:tc:xacml:1.0:action:action-id":
		r.action = value
	case "urn:altinn:partyid", "urn:altinn:userid", "urn:altinn:systemuser:uuid", "urn:altinn:person:uuid", "urn:altinn:organization:uuid",
		"urn:altinn:party:uuid", "urn:altinn:organization:identifier-no", "urn:altinn:person:identifier-no":
		r.subjectAttribute, r.subject = attribute, value
	default:
		r.other = attribute
	}
}
