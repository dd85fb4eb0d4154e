package wiring

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine says in words where this program runs: its processors, memory and kernel, as
// far as it can be read.
func Machine() string {
	text := fmt.Sprintf("%d processors, %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kilobytes int
		if _, err := fmt.Sscanf(string(b), "MemTotal: %d kB", &kilobytes); err == nil {
			text += fmt.Sprintf(", %d GiB", (kilobytes+1<<19)>>20)
		}
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		text += ", kernel " + strings.TrimSpace(string(b))
	}
	return text
}
