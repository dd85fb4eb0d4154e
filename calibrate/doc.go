// Package calibrate holds hachaos's figures against known truths: outages cut
// by an exact instrument, answers made slower by a known time, orders taken
// out of the database or doubled in it, and times without an owner of the VIP
// or with two. Each point is a real run on real containers, whose truth does
// not pass through what is being measured.
package calibrate
