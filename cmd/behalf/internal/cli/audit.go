package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// auditPage is how many records are asked for at once.
const auditPage = 500

// auditCommand is `behalf audit`.
type auditCommand struct {
	Terminal
	client      client
	filter      *behalfv1.ListAuditRecordsRequest
	from, until string
	limit       int
	follow      bool
	output      output
}

func newAudit(t Terminal) *cobra.Command {
	c := &auditCommand{Terminal: t, filter: &behalfv1.ListAuditRecordsRequest{}}
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show what was decided",
		Long: `Show what was decided, the latest first: who, whom for, what, the decision and why. All filters must hold.
Times are such as 2026-05-01T12:00:00Z, or so long ago, such as 90m. With --output json each record is a line,
with the attributes that it was decided by. Records hold no national identity numbers.

It needs the scope behalf:audit.read and a server with the sink records in --audit. While none runs, the data
directory is opened instead.`,
		Example: `  behalf audit --user 20001337 --from 24h
  behalf audit --party 50076451 --decision Deny
  behalf audit --oldest-first --limit 0 --output json > audit.jsonl`,
		Args: arguments(0, 0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	flags.StringVar(&c.from, "from", "", "recorded at or after this time")
	flags.StringVar(&c.until, "until", "", "recorded before this time")
	flags.Int64Var(&c.filter.UserId, "user", 0, "user who acted")
	flags.StringVar(&c.filter.SystemUser, "system-user", "", "UUID of the system user who acted")
	flags.Int64Var(&c.filter.PartyId, "party", 0, "party whose the resource is")
	flags.StringVar(&c.filter.Resource, "resource", "", "what was acted on, such as app_skd_taxreport")
	flags.StringVar(&c.filter.Action, "action", "", "what was to be done")
	flags.StringVar(&c.filter.Decision, "decision", "", "Permit, Deny, NotApplicable or Indeterminate")
	flags.StringVar(&c.filter.Kind, "kind", "", "decision, change, or with --audit-checks check, list or validate")
	flags.BoolVar(&c.filter.OldestFirst, "oldest-first", false, "the oldest first")
	flags.IntVar(&c.limit, "limit", 100, "how many records to show at most; 0 shows all")
	flags.BoolVar(&c.follow, "follow", false, "go on to show records as they are made, until interrupted")
	c.output.bind(flags)
	c.client.bind(flags)
	return cmd
}

func (c *auditCommand) run(ctx context.Context) error {
	if err := c.times(time.Now()); err != nil {
		return err
	}
	if c.limit < 0 {
		return usagef("--limit: %d is negative", c.limit)
	}
	return c.client.ask(ctx, c.Err, func(conn grpc.ClientConnInterface, _ *progress) error {
		service := behalfv1.NewAuditServiceClient(conn)
		if c.follow {
			return c.watch(ctx, service)
		}
		all, err := c.list(ctx, service, c.limit)
		if err != nil {
			return err
		}
		return c.print(all, true)
	})
}

// times reads the times of the filter.
func (c *auditCommand) times(now time.Time) error {
	for _, of := range []struct {
		flag, text string
		into       **timestamppb.Timestamp
	}{{"--from", c.from, &c.filter.From}, {"--until", c.until, &c.filter.Until}} {
		if of.text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, of.text)
		if ago, short := time.ParseDuration(of.text); short == nil && ago >= 0 {
			at, err = now.Add(-ago), nil
		}
		if err != nil {
			return usagef("%s: %q is neither a time such as 2026-05-01T12:00:00Z nor how long ago, such as 90m", of.flag, of.text)
		}
		*of.into = timestamppb.New(at)
	}
	return nil
}

// list returns records, at most limit unless that is 0.
func (c *auditCommand) list(ctx context.Context, service behalfv1.AuditServiceClient, limit int) ([]*behalfv1.AuditRecord, error) {
	var all []*behalfv1.AuditRecord
	c.filter.PageToken = ""
	for {
		c.filter.PageSize = auditPage
		if limit > 0 {
			c.filter.PageSize = int32(min(auditPage, limit-len(all)))
		}
		page, err := service.ListAuditRecords(ctx, c.filter)
		if err != nil {
			return nil, err
		}
		all = append(all, page.GetRecords()...)
		c.filter.PageToken = page.GetNextPageToken()
		if c.filter.GetPageToken() == "" || limit > 0 && len(all) >= limit {
			return all, nil
		}
	}
}

// overlap is how far back records are looked for again: those of several writers do not
// become visible in the order of their times.
const overlap = 10 * time.Second

// watch shows the latest records, the oldest of them first, and then new ones as they come.
func (c *auditCommand) watch(ctx context.Context, service behalfv1.AuditServiceClient) error {
	latest, err := c.list(ctx, service, c.limit)
	if err != nil {
		return err
	}
	if !c.filter.GetOldestFirst() {
		for i, k := 0, len(latest)-1; i < k; i, k = i+1, k-1 {
			latest[i], latest[k] = latest[k], latest[i]
		}
	}
	c.filter.OldestFirst = true
	shown := map[string]time.Time{}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	newest := time.Now()
	for first := true; ; first = false {
		var fresh []*behalfv1.AuditRecord
		for _, r := range latest {
			if _, twice := shown[r.GetId()]; twice {
				continue
			}
			shown[r.GetId()] = r.GetTime().AsTime()
			fresh = append(fresh, r)
			newest = r.GetTime().AsTime()
		}
		if err := c.print(fresh, first); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		since := newest.Add(-overlap)
		for id, at := range shown {
			if at.Before(since) {
				delete(shown, id)
			}
		}
		c.filter.From = timestamppb.New(since)
		if latest, err = c.list(ctx, service, 0); err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // it was interrupted, as is the way to end it
			}
			return err
		}
	}
}

// print prints records, in text with a heading if that is asked for.
func (c *auditCommand) print(all []*behalfv1.AuditRecord, heading bool) error {
	if c.output == "json" {
		for _, r := range all {
			if err := c.printLine(r); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
	if heading {
		fmt.Fprintln(table, "TIME\tDECISION\tSUBJECT\tACTION\tRESOURCE\tPARTY\tCALLER\tREASON")
	}
	for _, r := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.GetTime().AsTime().Format("2006-01-02T15:04:05.000Z07:00"), r.GetDecision(),
			auditSubject(r), r.GetAction(), auditResource(r), idText(r.GetPartyId()), r.GetCaller(), strings.ReplaceAll(r.GetReason(), "\t", " "))
	}
	return table.Flush()
}

// printLine prints a record as one line of JSON. protojson varies its white space from
// build to build.
func (c *auditCommand) printLine(r *behalfv1.AuditRecord) error {
	text, err := protojson.Marshal(r)
	if err != nil {
		return err
	}
	tidied, err := json.Marshal(json.RawMessage(text))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Out, "%s\n", tidied)
	return err
}

// auditSubject names who acted.
func auditSubject(r *behalfv1.AuditRecord) string {
	switch {
	case r.GetSubject() != "":
		return r.GetSubject()
	case r.GetUserId() != 0:
		return "user:" + idText(r.GetUserId())
	case r.GetSystemUser() != "":
		return "systemuser:" + r.GetSystemUser()
	case r.GetSubjectPartyId() != 0:
		return "party:" + idText(r.GetSubjectPartyId())
	case r.GetOrgCode() != "":
		return "org:" + r.GetOrgCode()
	}
	return "-"
}

// auditResource names what was acted on.
func auditResource(r *behalfv1.AuditRecord) string {
	name := r.GetResource()
	if r.GetResourceType() != "" {
		name = r.GetResourceType() + ":" + name
	}
	if r.GetInstance() != "" {
		name += " " + r.GetInstance()
	}
	if name == "" {
		return "-"
	}
	return name
}

func idText(id int64) string {
	if id == 0 {
		return "-"
	}
	return strconv.FormatInt(id, 10)
}
