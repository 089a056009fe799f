package relation

// Candidates are the objects that a list may hold. What caveats leave open is among them:
// whoever lists them checks each.
type Candidates struct {
	IDs      []string // each once, in no order
	Everyone bool     // any object of the type may be one, whether or not it is in IDs
}
