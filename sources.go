// Package hachaos holds the sources that the program was built from, as far
// as a verdict rests on them. It is how a saved result knows whether it is
// still the result that this program would come to: see package campaign.
package hachaos

import "embed"

// Sources are the Go files of the packages that bring a system up, load it,
// break it, look at it and judge it, by their paths from the module's root;
// tests are among them.
//
//go:embed assert/*.go clean/*.go fault/*.go harness/*.go history/*.go load/*.go observe/*.go topology/*.go topology/docker/*.go
var Sources embed.FS
