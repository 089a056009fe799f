// Package instancepip asks another system about instances of apps, for deployments in
// which that system, and not our records, knows them.
//
// It owns one question, in the form that Altinn's storage answers it: GET
// <url>/<partyId>/<UUID>/process/authinfo. A try has a time limit, what may pass is tried
// again a few times, and a system that keeps failing is left alone for a while, so that
// decisions fail at once instead of queueing up. It refuses to guess: whatever is no
// answer is an error, which makes the decision Indeterminate.
//
// The composition root gives it to server/internal/decision.
package instancepip
