// Package run holds how Behalf is started: a container image, compose with two servers between a
// Postgres and nginx and an identity provider for trying, and a systemd unit.
//
// Its files are for operators. It has no code of its own besides the tests: every flag is one of
// the server, the image is built as CI builds the binary, and that binary runs as the image
// starts it, alone in a root directory, as nobody in particular, able to write its data only.
// What the services of the compose file start runs here too, with files that the commands of
// deploy/README.md make. Neither image nor compose file is built or run by them.
package run
