package records

import (
	"context"
	"fmt"
)

// SetVersion makes a database look as if another release had migrated it.
func SetVersion(ctx context.Context, s *Store, version int) error {
	_, err := s.db.(*own).write.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d;
		INSERT INTO migration (number, name, oldest, applied) VALUES (%[1]d, 'another', %[1]d, 0)`, version))
	return err
}
