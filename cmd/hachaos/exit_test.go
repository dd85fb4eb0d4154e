package main

import (
	"errors"
	"os/exec"
	"strconv"
)

// exitStatus is a finished command's exit code as text.
func exitStatus(err error) string {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return strconv.Itoa(e.ExitCode())
	}
	return err.Error()
}
