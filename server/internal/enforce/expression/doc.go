// Package expression is the language in which Mia-Platform's authorization service says who
// may pass a route, such as
//
//	(clientType === "app" || isBackoffice) && (groups.admin || "read:orders" in permissions)
//
// It owns the grammar, the types and the meaning. What can be known at the time of reading is
// known then: a name that means nothing, or a comparison of what cannot be equal, is an error
// and never a denial that nobody understands. Evaluating cannot fail. It refuses to know who
// asks: server/internal/enforce, its only caller, gives it the facts.
//
// Of strongest to weakest, the operators are !, then ==, ===, !=, !== and in, then &&, then
// ||. A double and a triple sign mean the same, as the types are known. A group or permission
// that is named with other than letters, digits, _ and $ is written groups["read:orders"] or
// "read:orders" in groups. A list is in groups when all of it is.
package expression
