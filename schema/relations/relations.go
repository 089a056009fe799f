package relations

import _ "embed" // for Schema

// Version is the version of the schema, and stands in its first line. Every release whose
// schema differs from that of the release before raises it and adds a step to Steps: a
// program leaves a live schema of a later version as it is.
const Version = 1

// Path is where the compiled schema stands, from the module's root.
const Path = "schema/relations/behalf.zed"

// Schema is the compiled schema.
//
//go:embed behalf.zed
var Schema string

// Definitions are the names of Behalf's own definitions, in the schema's order. Schemas of
// users refer to them and must leave them as they are.
var Definitions = []string{"user", "systemuser", "party", "right", "client_delegation", "group", "access_list", "estate_role", "policy_text", "policy"}
