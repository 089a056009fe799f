// Package monitor holds what Prometheus and Grafana make of a Behalf's metrics: alerts.yaml, rules
// with what to do about each, and dashboard.json.
//
// Its files are for operators. It has no code of its own besides the test that each metric and
// label named in them is one that a running server shows, on SQLite or on Postgres.
package monitor
