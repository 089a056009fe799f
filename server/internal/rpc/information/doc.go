// Package information is the gRPC InformationService: what decisions know besides parties
// and roles.
//
// It owns how instances and the persons in estates are named in calls. It refuses to keep
// anything: server/internal/records has the instances and server/internal/decision the
// roles in estates. The composition root registers it.
package information
