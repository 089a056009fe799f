package decision

import (
	"strings"
	"sync"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// wants is what a policy asks about its subjects that the request does not bring. Only
// that is fetched.
type wants struct {
	roles       bool
	rolesByURN  []string        // beginnings of role URNs that are attributes of their own
	packages    []roles.Package // none: it asks about no package
	partyType   bool
	accessLists bool
	estateRoles bool
	personUUID  bool
}

// wanting keeps what policies want, by the policy. It forgets all when it has grown large:
// policies that are current come back at once.
type wanting struct {
	catalogue *roles.Catalogue
	beginning []string // of the URNs of all roles
	mu        sync.RWMutex
	known     map[*xacml.Policy]*wants
}

const mostKnown = 4096

func newWanting(c *roles.Catalogue) *wanting {
	w := &wanting{catalogue: c, known: map[*xacml.Policy]*wants{}}
	seen := map[string]bool{}
	for _, r := range c.Roles() {
		if beginning, _ := splitURN(r.URN); beginning != "" && !seen[beginning] {
			seen[beginning] = true
			w.beginning = append(w.beginning, beginning)
		}
	}
	return w
}

// splitURN cuts a role's URN into an attribute's identifier and its value.
func splitURN(urn string) (id, value string) {
	i := strings.LastIndexByte(urn, ':')
	if i < 0 {
		return "", ""
	}
	return urn[:i], urn[i+1:]
}

// of returns what a policy wants.
func (w *wanting) of(p *xacml.Policy) *wants {
	w.mu.RLock()
	known := w.known[p]
	w.mu.RUnlock()
	if known != nil {
		return known
	}
	found := w.find(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.known) >= mostKnown {
		clear(w.known)
	}
	w.known[p] = found
	return found
}

func (w *wanting) find(p *xacml.Policy) *wants {
	found := &wants{}
	asked := map[string]bool{}
	for _, use := range p.Attributes() {
		if use.Category == xacml.SubjectCategory {
			asked[use.ID] = true
		}
	}
	every := len(p.References()) > 0 // what they want is not known before they are read
	found.roles = every || asked[idRole]
	found.partyType = every || asked[idPartyType]
	found.accessLists = every || asked[idAccessList]
	found.estateRoles = every || asked[idEstateRole]
	found.personUUID = every || asked[idPersonUUID]
	for _, beginning := range w.beginning {
		if every || asked[beginning] {
			found.rolesByURN = append(found.rolesByURN, beginning)
		}
	}
	if every || asked[idPackage] {
		found.packages = w.packages(p, every)
	}
	return found
}

// packages returns the access packages that a policy compares with, or all when it does
// more than compare.
func (w *wanting) packages(p *xacml.Policy, every bool) []roles.Package {
	literals := map[string]bool{}
	look := func(target [][][]xacml.Match) {
		for _, anyOf := range target {
			for _, allOf := range anyOf {
				for _, m := range allOf {
					if m.Category != xacml.SubjectCategory || m.ID != idPackage {
						continue
					}
					literals[m.Value] = true
					every = every || !strings.HasPrefix(m.Function, "string-equal")
				}
			}
		}
	}
	every = every || p.ID().Set
	look(p.Target())
	for _, r := range p.Rules() {
		every = every || r.Conditional
		look(r.Target)
	}
	if every {
		return w.catalogue.Packages()
	}
	var wanted []roles.Package
	for literal := range literals {
		if known, ok := w.catalogue.Package(literal); ok {
			wanted = append(wanted, known)
		}
	}
	return wanted
}
