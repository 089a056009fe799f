// Package cli is the command line of behalf: a tree of commands, one file each.
//
// A setting is a flag, else the environment variable BEHALF_ and the flag's name, else
// the flag's name as a key of the file given with --config. Unknown keys are faults, and
// all faults of the settings are reported at once. Results go to standard output and
// everything else to standard error. The exit code is 0 when the command did what it was
// asked, 1 when it failed, 2 when it was asked wrongly; import, check and migrate have one more.
//
// Commands that touch data call a running server over gRPC. The package refuses domain
// rules, and to send credentials over a network in the clear. Main calls Run.
package cli
