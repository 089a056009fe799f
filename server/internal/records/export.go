package records

import (
	"context"
	"fmt"
)

// Source is a source with what it has said.
type Source struct {
	Name                 string
	Parties, Assignments int64 // how many entries
	Delegations          int64
	Registered           int64 // system users, access lists and resources
}

// Sources returns all sources. One that wins over another where both name a party comes
// before it, as far as that is the same for all parties: those that know parties by
// identifiers, then those that have written last.
func (t *Tx) Sources(ctx context.Context) ([]Source, error) {
	var found []Source
	err := t.each(ctx, func(scan func(...any) error) error {
		var s Source
		if err := scan(&s.Name, &s.Parties, &s.Assignments, &s.Delegations, &s.Registered); err != nil {
			return err
		}
		found = append(found, s)
		return nil
	}, `SELECT source, CAST(sum(parties) AS BIGINT), CAST(sum(assignments) AS BIGINT), CAST(sum(delegations) AS BIGINT), CAST(sum(registered) AS BIGINT) FROM (
			SELECT source, count(*) AS parties, 0 AS assignments, 0 AS delegations, 0 AS registered, max(written) AS written,
				max(CASE WHEN gave_id OR uuid <> '' OR org_number <> '' OR national_id <> '' THEN 1 ELSE 0 END) AS strong
			FROM party_source GROUP BY source
			UNION ALL SELECT source, 0, count(*), 0, 0, 0, 0 FROM assignment GROUP BY source
			UNION ALL SELECT source, 0, 0, count(*), 0, 0, 0 FROM delegation GROUP BY source
			UNION ALL SELECT source, 0, 0, 0, count(*), 0, 0 FROM system_user GROUP BY source
			UNION ALL SELECT source, 0, 0, 0, count(*), 0, 0 FROM access_list GROUP BY source
			UNION ALL SELECT source, 0, 0, 0, count(*), 0, 0 FROM resource GROUP BY source) AS said
		GROUP BY source ORDER BY max(strong) DESC, max(written) DESC, source`)
	if err != nil {
		return nil, fmt.Errorf("read the sources: %w", err)
	}
	return found, nil
}

// Said calls f for all that a source says of parties, by party and key, with the
// identifiers that the party has and not only those that the source gave: who reads it
// elsewhere comes to the same ones. f must not use the transaction.
func (t *Tx) Said(ctx context.Context, source string, f func(Assertion) error) error {
	return t.assertions(ctx, f, `SELECT s.party_id, s.source, s.source_key, 1, p.uuid, s.kind, s.name,
			coalesce(p.org_number, ''), coalesce(p.national_id, ''), s.unit_type, s.main_unit,
			s.deleted_on, s.birth_date, s.died_on, coalesce(p.user_id, 0), s.login, s.written
		FROM party_source AS s JOIN party AS p ON p.id = s.party_id
		WHERE s.source = ? ORDER BY s.party_id, s.source_key`, source)
}

// Held calls f for every assignment of a source, by party, role and holder. f must not use
// the transaction.
func (t *Tx) Held(ctx context.Context, source string, f func(Assignment) error) error {
	return t.eachAssignment(ctx, f, "source = ? ORDER BY from_id, role, to_id", source)
}
