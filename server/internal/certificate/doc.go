// Package certificate keeps the certificate by which the server's ports are known the one in its files.
//
// It owns the certificate, its key and the clients' authorities, looks at their files while the server runs, and gives new
// connections those that the files last had without a fault; connections that are open go on, but for those of clients
// whose authority has gone. It looks at what the
// files have rather than for events, so that it does not matter how they are replaced: written anew, renamed, or a
// directory's symbolic link turned, as Kubernetes does. It refuses a key that is not the certificate's, a file with nothing
// in it and a chain that clients do not take now; then the last good ones hold. The composition root opens it for both ports.
package certificate
