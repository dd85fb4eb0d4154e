// Package hachaos holds the sources that the program was built from, as far
// as a verdict rests on them. It is how a saved result knows whether it is
// still the result that this program would come to: see package campaign.
package hachaos

import "embed"

// Sources are the Go files of the packages that bring a system up, load it,
// break it, look at it, lend it to one run after another and judge it, and
// what says which versions of other modules these are built with, by their
// paths from the module's root; tests are among them.
//
//go:embed go.mod assert/*.go campaign/item.go clean/*.go fault/*.go harness/*.go history/*.go internal/wiring/*.go load/*.go
//go:embed observe/*.go suite/*.go topology/*.go topology/docker/*.go topology/docker/agent/*.go
var Sources embed.FS
