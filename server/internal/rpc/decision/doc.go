// Package decision is the gRPC DecisionService: it turns requests into questions to
// server/internal/decision, and decisions into messages or documents of XACML.
//
// It owns the rule whom a call may ask about, which door a caller may use, who may have a
// decision explained, and the forms of requests and responses. It refuses to decide. A
// body of XACML is read here, once. The composition root registers it.
package decision
