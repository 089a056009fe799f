package store

import "context"

// Pragma runs a pragma on the connection that writes, while nobody writes.
func (s *Store) Pragma(ctx context.Context, text string) error {
	_, err := s.w.conn.ExecContext(ctx, text)
	return err
}
