package docker

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/moby/moby/client"

	"github.com/hachaos/hachaos/topology"
)

// What has to be free before hachaos begins, in bytes.
const (
	diskForBuild = 3 << 30   // all images, with their intermediate layers
	diskForRun   = 512 << 20 // containers' own layers and logs
	memoryPerOf  = 64 << 20  // of a container without a limit of its own
)

// checkDisk refuses to begin what would fill the engine's disk. Where the
// engine's files cannot be seen from here it trusts the engine.
func (e *engine) checkDisk(ctx context.Context, need uint64) error {
	if !e.local() {
		return nil
	}
	info, err := e.Info(ctx, client.InfoOptions{})
	if err != nil {
		return fmt.Errorf("ask the engine about its disk: %w", e.explain(err))
	}
	free, ok := freeDisk(info.Info.DockerRootDir)
	if ok && free < need {
		return fmt.Errorf("too little disk: %s has %s free and %s are needed: "+
			"free some (`hachaos images prune`, `docker system prune`)",
			info.Info.DockerRootDir, megabytes(free), megabytes(need))
	}
	return nil
}

// freeDisk is what an unprivileged writer may still write at path; false if it
// cannot be told, as with an engine in a virtual machine.
func freeDisk(path string) (uint64, bool) {
	var stat syscall.Statfs_t
	if path == "" || syscall.Statfs(path, &stat) != nil {
		return 0, false
	}
	return stat.Bavail * uint64(stat.Bsize), true
}

// checkMemory refuses a topology that does not fit into the engine's memory.
func (e *engine) checkMemory(ctx context.Context, spec topology.Spec) error {
	info, err := e.Info(ctx, client.InfoOptions{})
	if err != nil {
		return fmt.Errorf("ask the engine about its memory: %w", e.explain(err))
	}
	have := uint64(max(info.Info.MemTotal, 0))
	if e.local() {
		if available, ok := availableMemory(); ok {
			have = min(have, available)
		}
	}
	if need := memoryNeeded(spec); have < need {
		return fmt.Errorf("too little memory: %s are available and %s needs %s: "+
			"stop something, give the engine more, or ask for fewer nodes",
			megabytes(have), spec.Name, megabytes(need))
	}
	return nil
}

// memoryNeeded estimates what the topology will use: the limits where they are
// set (an upper bound), a small amount elsewhere.
func memoryNeeded(spec topology.Spec) uint64 {
	var sum uint64
	for _, node := range spec.Nodes {
		if node.Memory > 0 {
			sum += uint64(node.Memory)
		} else {
			sum += memoryPerOf
		}
	}
	return sum
}

// availableMemory is Linux' own estimate of what new programs can have.
func availableMemory() (uint64, bool) {
	content, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	return parseAvailable(content)
}

func parseAvailable(meminfo []byte) (uint64, bool) {
	for lines := bufio.NewScanner(bytes.NewReader(meminfo)); lines.Scan(); {
		rest, ok := strings.CutPrefix(lines.Text(), "MemAvailable:")
		if !ok {
			continue
		}
		kilobytes, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
		return kilobytes << 10, err == nil
	}
	return 0, false
}

func megabytes(bytes uint64) string { return fmt.Sprintf("%d MB", bytes>>20) }
