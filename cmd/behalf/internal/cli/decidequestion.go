package cli

import (
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// decideQuestion is the flags that make a question for a decision.
type decideQuestion struct {
	user, party                               int64
	systemUser, organisation                  string
	app, resource, kind, instance, task, does string
	subjectMore, resourceMore, environment    []string
}

func (q *decideQuestion) bind(flags *pflag.FlagSet) {
	flags.Int64Var(&q.user, "user", 0, "the user who acts (default: whoever the token is for)")
	flags.StringVar(&q.systemUser, "system-user", "", "the system user who acts, by UUID")
	flags.StringVar(&q.organisation, "organisation", "", "the organisation that acts itself, by number")
	flags.Int64Var(&q.party, "party", 0, "the party for whom")
	flags.StringVar(&q.app, "app", "", "the app, as ORG/APP")
	flags.StringVar(&q.resource, "resource", "", "the resource of the registry, by its id")
	flags.StringVar(&q.kind, "type", "", "the type of an object that is neither, whose id --resource is")
	flags.StringVar(&q.instance, "instance", "", "the instance, as PARTY/UUID")
	flags.StringVar(&q.task, "task", "", "the task that the instance is in")
	flags.StringVar(&q.does, "action", "", "the action, such as read")
	flags.StringArrayVar(&q.subjectMore, "subject-attribute", nil, "another attribute of the subject, as id=value")
	flags.StringArrayVar(&q.resourceMore, "resource-attribute", nil, "another attribute of the resource, as id=value")
	flags.StringArrayVar(&q.environment, "environment-attribute", nil, "an attribute of the environment, as id=value")
}

// message returns the question.
func (q *decideQuestion) message() (*behalfv1.DecisionQuestion, error) {
	out := &behalfv1.DecisionQuestion{}
	add := func(to *[]*behalfv1.Attribute, id, value string) {
		if value != "" {
			*to = append(*to, &behalfv1.Attribute{Id: id, Values: []string{value}})
		}
	}
	if q.user != 0 {
		add(&out.Subject, "urn:altinn:userid", strconv.FormatInt(q.user, 10))
	}
	add(&out.Subject, "urn:altinn:systemuser:uuid", q.systemUser)
	add(&out.Subject, "urn:altinn:organization:identifier-no", q.organisation)
	if q.app != "" {
		org, app, ok := strings.Cut(q.app, "/")
		if !ok || org == "" || app == "" {
			return nil, usagef("--app: %q is not ORG/APP, such as skd/taxreport", q.app)
		}
		add(&out.Resource, "urn:altinn:org", org)
		add(&out.Resource, "urn:altinn:app", app)
	}
	id := "urn:altinn:resource"
	if q.kind != "" {
		id = "urn:behalf:resource:id"
		add(&out.Resource, "urn:behalf:resource:type", q.kind)
	}
	add(&out.Resource, id, q.resource)
	add(&out.Resource, "urn:altinn:instance-id", q.instance)
	add(&out.Resource, "urn:altinn:task", q.task)
	if q.party != 0 {
		add(&out.Resource, "urn:altinn:partyid", strconv.FormatInt(q.party, 10))
	}
	add(&out.Action, "urn:oasis:names:tc:xacml:1.0:action:action-id", q.does)
	for _, more := range []struct {
		flag  string
		texts []string
		to    *[]*behalfv1.Attribute
	}{
		{"--subject-attribute", q.subjectMore, &out.Subject}, {"--resource-attribute", q.resourceMore, &out.Resource},
		{"--environment-attribute", q.environment, &out.Environment},
	} {
		for _, text := range more.texts {
			id, value, ok := strings.Cut(text, "=")
			if !ok || id == "" {
				return nil, usagef("%s: %q is not id=value", more.flag, text)
			}
			add(more.to, id, value)
		}
	}
	if len(out.Resource) == 0 || q.does == "" {
		return nil, usagef("name what is asked about: --app, --resource or --instance, and --action")
	}
	return out, nil
}
