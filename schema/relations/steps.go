package relations

// Step is what brings the relationships of the version before to one version of the schema.
type Step struct {
	Version int
	// Oldest is the oldest version that a program may know to run on this one: Version when
	// older programs would write or read what is no longer there.
	Oldest int
	// Renames are relations whose relationships go on under another name. Whatever else would
	// leave relationships without a place is refused where the schema is made live.
	Renames []Rename
}

// Rename is a relation that has another name from one version to the next.
type Rename struct{ Definition, Old, New string }

// String returns definition#old=new.
func (r Rename) String() string { return r.Definition + "#" + r.Old + "=" + r.New }

// Steps are the steps to each version, in order, the last of them to Version.
var Steps = []Step{
	{Version: 1, Oldest: 1},
}
