// Command behalf is the server and the command line of Behalf.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/cli"
)

func main() { os.Exit(run()) }

// run ends what is running at the first signal to stop; a second one ends the process.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return cli.Run(ctx, os.Args[1:], cli.Terminal{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Environ: os.Environ(),
	})
}
