// Package chromium opens pages in the headless Chromium of the machine, as people do.
//
// It owns the process and its profile, which end with the test. It refuses to download a
// browser: where there is none, tests are skipped and say what to install. Tests of the
// server's pages, and of the gateways before it, use it.
package chromium
