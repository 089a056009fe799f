package roles

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

//go:embed data/*.json
var embedded embed.FS

// Load returns the catalogue that is built in. It fails with every fault of the data.
func Load() (*Catalogue, error) {
	data, err := fs.Sub(embedded, "data")
	if err != nil {
		return nil, err
	}
	return load(data)
}

// implication is a line of implications.json, by slug.
type implication struct {
	Role    string   `json:"role"`
	Implies []string `json:"implies"`
}

// grants is a line of role_packages.json, by slug and code.
type grants struct {
	Role     string   `json:"role"`
	UnitType string   `json:"unit_type"`
	Access   bool     `json:"access"`
	Delegate bool     `json:"delegate"`
	Assign   bool     `json:"assign"`
	Packages []string `json:"packages"`
}

func load(data fs.FS) (*Catalogue, error) {
	c := &Catalogue{
		roleByText: map[string]int{}, roleByRelation: map[string]int{},
		packageByText: map[string]int{}, packageByRelation: map[string]int{},
	}
	var implications []implication
	var given []grants
	err := errors.Join(
		read(data, "roles.json", &c.roles),
		read(data, "implications.json", &implications),
		read(data, "areas.json", &c.areas),
		read(data, "packages.json", &c.packages),
		read(data, "role_packages.json", &given),
	)
	if err != nil {
		return nil, fmt.Errorf("read the role catalogue: %w", err)
	}
	f := &faults{}
	c.indexRoles(f)
	c.indexPackages(f)
	c.addImplications(f, implications)
	c.addGrants(f, given)
	c.checkCycles(f)
	if err := errors.Join(f.all...); err != nil {
		return nil, fmt.Errorf("role catalogue: %w", err)
	}
	c.indexHoldings()
	return c, nil
}

// read decodes one file. A field that the catalogue does not know is a fault, so that a
// misspelt flag cannot pass for one that is not set.
func read(data fs.FS, name string, into any) error {
	text, err := fs.ReadFile(data, name)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: text follows the list", name)
	}
	return nil
}

func (c *Catalogue) indexRoles(f *faults) {
	for i := range c.roles {
		r := &c.roles[i]
		if r.Relation = name(r.LegacyCode); r.LegacyCode == "" {
			r.Relation = name(r.Slug)
		}
		r.Lower = strings.ToLower(r.Code)
		f.of("roles.json: role", r.Slug)
		checkRole(f, *r)
		claim(f, c.roleByRelation, i, r.Relation)
		for _, text := range []string{r.Code, r.LegacyCode, r.Slug, r.Relation, r.URN, r.LegacyURN} {
			claim(f, c.roleByText, i, strings.ToLower(text))
		}
	}
}

func (c *Catalogue) indexPackages(f *faults) {
	areas := map[string]int{}
	for i, a := range c.areas {
		f.of("areas.json: area", a.Code)
		f.require("code", a.Code, "name", a.Name, "name_en", a.NameEN, "group", a.Group)
		claim(f, areas, i, a.Code)
	}
	for i := range c.packages {
		p := &c.packages[i]
		if p.URN == "" {
			p.URN = "urn:altinn:accesspackage:" + p.Code
		}
		if p.Relation == "" {
			p.Relation = name(p.Code)
		}
		f.of("packages.json: package", p.Code)
		checkPackage(f, *p)
		if _, ok := areas[p.Area]; !ok {
			f.add("area %q is not in areas.json", p.Area)
		}
		claim(f, c.packageByRelation, i, p.Relation)
		last := p.URN[strings.LastIndexByte(p.URN, ':')+1:]
		for _, text := range []string{p.Code, p.Relation, p.URN, last} {
			claim(f, c.packageByText, i, strings.ToLower(text))
		}
	}
}

// claim notes that the text names entry i, and that it names no other.
func claim(f *faults, index map[string]int, i int, text string) {
	if text == "" {
		return
	}
	if j, ok := index[text]; ok && j != i {
		f.add("%q names entry %d too", text, j+1)
		return
	}
	index[text] = i
}

func (c *Catalogue) addImplications(f *faults, implications []implication) {
	seen := map[string]bool{}
	for _, line := range implications {
		f.of("implications.json: role", line.Role)
		i, ok := c.bySlug(line.Role)
		if !ok {
			f.add("is not in roles.json")
			continue
		}
		if seen[line.Role] {
			f.add("stands here twice")
		}
		seen[line.Role] = true
		r := &c.roles[i]
		for _, slug := range line.Implies {
			j, ok := c.bySlug(slug)
			switch {
			case !ok:
				f.add("implied role %q is not in roles.json", slug)
			case r.Link != NoLink || c.roles[j].Link != NoLink:
				f.add("a link neither implies nor is implied (%s)", slug)
			case c.roles[j].KeyHolders:
				f.add("%s follows from key roles only", slug)
			case slices.Contains(r.Implies, c.roles[j].Relation):
				f.add("implies %s twice", slug)
			default:
				r.Implies = append(r.Implies, c.roles[j].Relation)
			}
		}
	}
}

// bySlug looks a role up as the data files name it.
func (c *Catalogue) bySlug(slug string) (int, bool) {
	i, ok := c.roleByText[slug]
	return i, ok && c.roles[i].Slug == slug
}

func (c *Catalogue) addGrants(f *faults, given []grants) {
	type key struct {
		role, unitType string
		pkg            int
	}
	seen := map[key]bool{}
	for _, line := range given {
		f.of("role_packages.json: role", line.Role)
		checkGrants(f, line)
		i, ok := c.bySlug(line.Role)
		if !ok {
			f.add("is not in roles.json")
			continue
		}
		r := c.roles[i]
		if r.Link != NoLink || r.KeyHolders {
			f.add("gives no packages of its own")
		}
		if line.UnitType != "" && !slices.Contains(c.unitTypes, line.UnitType) {
			c.unitTypes = append(c.unitTypes, line.UnitType)
		}
		for _, code := range line.Packages {
			j, ok := c.packageByText[code]
			if !ok || c.packages[j].Code != code {
				f.add("package %q is not in packages.json", code)
				continue
			}
			k := key{r.Relation, line.UnitType, j}
			if seen[k] {
				f.add("gives %s twice", code)
				continue
			}
			seen[k] = true
			c.packages[j].Grants = append(c.packages[j].Grants, Grant{
				Role: r.Relation, UnitType: line.UnitType,
				Access: line.Access, Delegate: line.Delegate, Assign: line.Assign,
			})
		}
	}
	slices.Sort(c.unitTypes)
	for i := range c.packages {
		slices.SortStableFunc(c.packages[i].Grants, func(a, b Grant) int {
			return cmp.Or(cmp.Compare(c.roleByRelation[a.Role], c.roleByRelation[b.Role]), cmp.Compare(a.UnitType, b.UnitType))
		})
	}
}
