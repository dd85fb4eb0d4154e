package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hachaos/hachaos/fixtures"
)

// maker is a program that installs a minimal Debian: its steps are computed as
// command lines, of which the last writes the root as tar to its output.
type maker struct {
	name  string
	steps func(dir, mirror string) [][]string
}

var makers = []maker{
	{name: "mmdebstrap", steps: mmdebstrapSteps},
	{name: "debootstrap", steps: debootstrapSteps},
}

// findMaker returns the first that is installed.
func findMaker(look func(string) (string, error)) (maker, error) {
	for _, m := range makers {
		if _, err := look(m.name); err == nil {
			return m, nil
		}
	}
	return maker{}, errors.New("no registry answers, and neither mmdebstrap nor debootstrap is installed: " +
		"on Debian `sudo apt-get install mmdebstrap`; elsewhere give the engine access to a registry, " +
		"or name a Debian " + fixtures.Suite + " image that it has as the base")
}

func mmdebstrapSteps(_, mirror string) [][]string {
	argv := []string{
		"mmdebstrap", "--quiet", "--variant=minbase", "--format=tar",
		`--aptopt=Acquire::Languages "none"`,
	}
	for _, rule := range slimming {
		argv = append(argv, "--dpkgopt="+rule)
	}
	argv = append(argv, fixtures.Suite, "-")
	if mirror != "" {
		argv = append(argv, mirror)
	}
	return [][]string{argv}
}

// debootstrapSteps removes by hand what dpkg cannot be told to leave out
// before it is installed.
func debootstrapSteps(dir, mirror string) [][]string {
	root := filepath.Join(dir, "root")
	install := []string{"debootstrap", "--variant=minbase", fixtures.Suite, root}
	if mirror != "" {
		install = append(install, mirror)
	}
	rules := strings.Join(slimming, "\n") + "\n"
	slim := "printf '%s' \"$2\" >\"$1/etc/dpkg/dpkg.cfg.d/99hachaos\" && " +
		"rm -rf \"$1\"/var/cache/apt/archives/*.deb \"$1\"/var/lib/apt/lists/* && " +
		"cd \"$1/usr/share\" && rm -rf groff/* info/* lintian/* linda/* locale/* man/* && " +
		"find doc -type f ! -name copyright -delete"
	return [][]string{
		install,
		{"sh", "-c", slim, "sh", root, rules},
		{"tar", "--numeric-owner", "--one-file-system", "-C", root, "-c", "."},
	}
}

// unmounting is how long a maker may take to end once it was asked to.
const unmounting = 10 * time.Second

// run carries out the maker's steps with dir as its scratch space and writes
// the tar to w. The error carries the log's end.
func (m maker) run(ctx context.Context, w io.Writer, dir, mirror string) error {
	steps := m.steps(dir, mirror)
	for i, argv := range steps {
		var log tail
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "TMPDIR="+dir)
		// Asked, they unmount what they mounted and end their children, which
		// would hold the log open.
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		cmd.WaitDelay = unmounting
		cmd.Stderr = &log
		cmd.Stdout = &log
		if i == len(steps)-1 {
			cmd.Stdout = w
		}
		if err := cmd.Run(); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%s: %w\n%s", argv[0], err, log.String())
		}
	}
	return nil
}
