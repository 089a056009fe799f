package enforce

import "context"

// Look has routes look at their file now.
func Look(ctx context.Context, r *Routes) { r.look(ctx) }
