package xacml

type lookup struct{}

func newLookup(*Policy) *lookup { return nil }

func (l *lookup) decide(*Policy, *Request) (Result, bool) { return Result{}, false }
