package policy

// Delegable says whether who may do an action may pass it on.
var Delegable = delegable
