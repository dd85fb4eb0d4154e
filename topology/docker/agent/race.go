//go:build race

package agent

// raced says that this executable bears the race detector, which slows it
// down: an image with it must not be taken for one without.
const raced = true
