package policytest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/behalf-authz/behalf/server/policyfile"
)

// Expected is what is expected of one result. What is not said is not compared.
type Expected struct {
	Decision    string    `json:"decision"`
	Status      string    `json:"status,omitempty"` // a URN, or its last part such as ok
	Obligations *[]string `json:"obligations,omitempty"`
	Advice      *[]string `json:"advice,omitempty"`
}

var decisions = []string{"Permit", "Deny", "NotApplicable", "Indeterminate"}

// expectedOf reads what a folder expects of a request in the form of an extension.
func expectedOf(dir, extension string) ([]Expected, error) {
	forms := []string{".xml", ".json", ".txt"}
	if extension == ".json" {
		forms = []string{".json", ".xml", ".txt"}
	}
	for _, form := range forms {
		name := filepath.Join(dir, "expected"+form)
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var all []Expected
		if err == nil {
			all, err = parse(form, text)
		}
		if err == nil {
			err = check(all)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		return all, nil
	}
	return nil, errors.New("has no expected.xml, expected.json or expected.txt beside it")
}

func check(all []Expected) error {
	if len(all) == 0 {
		return errors.New("expects no result at all")
	}
	for _, e := range all {
		if !slices.Contains(decisions, e.Decision) {
			return fmt.Errorf("%q is no decision; there are %s", e.Decision, strings.Join(decisions, ", "))
		}
	}
	return nil
}

func parse(form string, text []byte) ([]Expected, error) {
	switch form {
	case ".xml":
		return parseXML(text)
	case ".json":
		return parseJSON(text)
	}
	var all []Expected
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, Expected{Decision: line})
		}
	}
	return all, nil
}

// parseXML reads a XACML response.
func parseXML(text []byte) ([]Expected, error) {
	type named struct {
		Obligation string `xml:"ObligationId,attr"`
		Advice     string `xml:"AdviceId,attr"`
	}
	var response struct {
		XMLName xml.Name `xml:"Response"`
		Results []struct {
			Decision string
			Status   struct {
				Code struct {
					Value string `xml:",attr"`
				} `xml:"StatusCode"`
			}
			Obligations []named `xml:"Obligations>Obligation"`
			Advice      []named `xml:"AssociatedAdvice>Advice"`
		} `xml:"Result"`
	}
	if err := xml.Unmarshal(text, &response); err != nil {
		return nil, err
	}
	all := make([]Expected, len(response.Results))
	for i, r := range response.Results {
		obligations, advice := []string{}, []string{}
		for _, o := range r.Obligations {
			obligations = append(obligations, o.Obligation)
		}
		for _, a := range r.Advice {
			advice = append(advice, a.Advice)
		}
		all[i] = Expected{Decision: strings.TrimSpace(r.Decision), Status: r.Status.Code.Value, Obligations: &obligations, Advice: &advice}
	}
	return all, nil
}

// parseJSON reads a XACML response, or the short form.
func parseJSON(text []byte) ([]Expected, error) {
	var response struct {
		Response json.RawMessage
	}
	text = bytes.TrimSpace(text)
	if json.Unmarshal(text, &response) == nil && response.Response != nil {
		return parseJSONResponse(response.Response)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields() // a misspelt expectation would expect nothing
	if bytes.HasPrefix(text, []byte("[")) {
		var all []Expected
		err := d.Decode(&all)
		return all, err
	}
	var one Expected
	err := d.Decode(&one)
	return []Expected{one}, err
}

func parseJSONResponse(text json.RawMessage) ([]Expected, error) {
	type result struct {
		Decision                      string
		Status                        struct{ StatusCode struct{ Value string } }
		Obligations, AssociatedAdvice []struct {
			ID string `json:"Id"`
		}
	}
	var results []result
	if !bytes.HasPrefix(text, []byte("[")) { // one result may stand without a list
		text = slices.Concat([]byte("["), text, []byte("]"))
	}
	if err := json.Unmarshal(text, &results); err != nil {
		return nil, err
	}
	all := make([]Expected, len(results))
	for i, r := range results {
		obligations, advice := []string{}, []string{}
		for _, o := range r.Obligations {
			obligations = append(obligations, o.ID)
		}
		for _, a := range r.AssociatedAdvice {
			advice = append(advice, a.ID)
		}
		all[i] = Expected{Decision: r.Decision, Status: r.Status.StatusCode.Value, Obligations: &obligations, Advice: &advice}
	}
	return all, nil
}

// differences says in what a result is not as expected.
func (e Expected) differences(r policyfile.Result) []string {
	var all []string
	if r.Decision != e.Decision {
		all = append(all, fmt.Sprintf("%s, want %s: %s", r.Decision, e.Decision, r.Reason))
	}
	if e.Status != "" && r.Status != e.Status && !strings.HasSuffix(r.Status, ":"+e.Status) {
		all = append(all, fmt.Sprintf("status %s, want %s: %s", r.Status, e.Status, r.Message))
	}
	if e.Obligations != nil && !slices.Equal(*e.Obligations, r.Obligations) {
		all = append(all, fmt.Sprintf("obligations %q, want %q", r.Obligations, *e.Obligations))
	}
	if e.Advice != nil && !slices.Equal(*e.Advice, r.Advice) {
		all = append(all, fmt.Sprintf("advice %q, want %q", r.Advice, *e.Advice))
	}
	return all
}
