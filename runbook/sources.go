package runbook

import "embed"

// Sources are this package's files, by which a saved result knows whether a
// document would still be read in the same way.
//
//go:embed *.go
var Sources embed.FS
