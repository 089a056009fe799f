// Package bench measures what a check costs: how long callers wait for it, how many are
// answered in a second, and how much processor time the server spends on one.
//
// Calls are made in a closed loop, in which each caller asks again as soon as it has its
// answer, or in an open loop at a rate, in which a call that is late waits on the clock of
// the caller: its latency counts from the moment it was meant to start, so that a server
// that stalls is not spared the calls it kept from being made. Each answer is compared with
// the oracle of the world that is asked about. The same load also goes to a floor: a bare
// server in a process of its own, which reads the same requests and sends one ready answer,
// so that a figure can be read as a multiple of the call that carries it. In a closed loop
// they take turns, in slices of the time, since a server that settles and a machine that drifts
// would make dearer whatever is measured first.
//
// Peers are other servers that hold the same relationships. They get the same questions in
// the same run, and their processor time is that of the server and of its database. Lists of
// whom a user represents are asked for one after another and held against the world's.
//
// The package owns load, floor, processor time and report. It knows the APIs of a server
// from outside only: it measures any server that speaks authzed.api.v1 or OpenFGA's API, and
// refuses to link one, to start one, or to choose credentials. The command bench calls it.
package bench
