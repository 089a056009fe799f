package records

import (
	"context"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/party"
)

// FirstNumber is the first partyId and the first userId that the server gives by itself.
// It leaves room above for a thousand million within 32 bits, which Altinn's clients
// read these ids as, and lies clear of the ids that Altinn has given.
const FirstNumber = 1_000_000_000

// Numbers are the next numbers to give.
type Numbers struct {
	Party party.ID
	User  party.UserID
	Write int64
}

// Numbers returns the next numbers, and which ids from them on are taken: those that
// sources gave themselves.
func (t *Tx) Numbers(ctx context.Context) (next Numbers, parties map[party.ID]bool, users map[party.UserID]bool, err error) {
	err = t.each(ctx, func(scan func(...any) error) error {
		return scan(&next.Party, &next.User, &next.Write)
	}, `SELECT (SELECT next FROM sequence WHERE name = 'party'), (SELECT next FROM sequence WHERE name = 'user'),
		(SELECT next FROM sequence WHERE name = 'write')`)
	if err != nil {
		return next, nil, nil, fmt.Errorf("read the next numbers: %w", err)
	}
	parties, users = make(map[party.ID]bool), make(map[party.UserID]bool)
	err = t.each(ctx, func(scan func(...any) error) error {
		var id party.ID
		if err := scan(&id); err != nil {
			return err
		}
		parties[id] = true
		return nil
	}, "SELECT id FROM party WHERE id >= ?", int64(next.Party))
	if err != nil {
		return next, nil, nil, fmt.Errorf("read the ids taken: %w", err)
	}
	err = t.each(ctx, func(scan func(...any) error) error {
		var id party.UserID
		if err := scan(&id); err != nil {
			return err
		}
		users[id] = true
		return nil
	}, "SELECT user_id FROM party WHERE user_id >= ?", int64(next.User))
	if err != nil {
		return next, nil, nil, fmt.Errorf("read the user ids taken: %w", err)
	}
	return next, parties, users, nil
}

// SetNumbers keeps the next numbers. They never go down.
func (t *Tx) SetNumbers(ctx context.Context, next Numbers) error {
	for name, n := range map[string]int64{"party": int64(next.Party), "user": int64(next.User), "write": next.Write} {
		if err := t.exec(ctx, "UPDATE sequence SET next = ? WHERE name = ? AND next < ?", n, name, n); err != nil {
			return fmt.Errorf("keep the next number of %s: %w", name, err)
		}
	}
	return nil
}
