// Package corpus is what the clients in Go and TypeScript are both asked, and must both answer: a
// register, a policy, questions with their answers, requests to services behind the middleware
// with what becomes of them, and decisions with obligations that are met or not.
//
// It owns corpus.json and the files that it names. The tests in TypeScript read the files
// themselves; those in Go read them here. It refuses to know clients and servers. Only tests
// import it.
package corpus
