// Package suite runs many scenarios one after another: several names, or one
// name several times. It keeps a topology from one run to the next where both
// want the same, and only after it has proven that the topology is as it was
// when it was new; else it brings a new one up and says so.
package suite
