//go:build !docker

package main

// withDocker says whether the tests were built with the tag docker.
const withDocker = false
