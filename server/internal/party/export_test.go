package party

// Kept returns how many views and unions are kept.
func (s *Service) Kept() (views, unions int) {
	s.views.mu.Lock()
	defer s.views.mu.Unlock()
	s.unions.mu.Lock()
	defer s.unions.mu.Unlock()
	return s.views.recent.Len(), s.unions.kept.Len()
}

// Collide gives the directory's keys few hashes.
func (d *Directory) Collide(hashes int) {
	for _, k := range d.keys() {
		full := k.hash
		k.hash = func(key string) uint64 { return full(key) % uint64(hashes) }
	}
}
