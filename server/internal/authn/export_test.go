package authn

// Remembered returns how many verified tokens a remembers.
func Remembered(a *Authenticator) int {
	n := 0
	for i := range a.tokens.shards {
		s := &a.tokens.shards[i]
		s.mu.RLock()
		n += len(s.entries)
		s.mu.RUnlock()
	}
	return n
}
