// Package helm holds the Helm chart of Behalf: one node with its database on a volume, or many
// nodes on one Postgres.
//
// The chart, in the directory behalf, is for operators. The package has no code of its own
// besides the tests, and is a module of its own, so that what they need of Helm and Kubernetes
// stays out of the server's. They lint the chart, render every profile as `helm template` does,
// have kubectl-validate hold what comes out to Kubernetes' schemas, which it carries, and hold
// every flag to the program's. Nothing is installed in a cluster by them.
package helm
