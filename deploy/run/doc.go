// Package run holds how Behalf is started: a container image, compose with a Postgres and two
// servers, and a systemd unit.
//
// Its files are for operators. It has no code of its own besides the tests: every flag is one of
// the server, the image is built as CI builds the binary, and that binary runs as the image
// starts it, alone in a root directory, as nobody in particular, able to write its data only.
// Neither image nor compose file is built or run by them.
package run
