package fault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

// DiskFull fills a small file system of the target to its last byte with one
// file. It refuses a path that is not the root of a file system of its own,
// or one larger than 1 GiB: filling that would fill the engine's disk. The
// zero value fills the one that jetty-ha gives its database with the switch
// small-disk.
type DiskFull struct {
	// Path is where the file system is mounted; empty is topology.SmallDisk.
	Path string `json:"path,omitempty"`
}

const (
	fillerName = "hachaos-filler"
	// lastPage is less than what PostgreSQL writes at once: with less left,
	// nothing more of a table fits.
	lastPage = 8192
)

// fill writes until nothing more fits; that it ends in an error is the point.
const fill = `mountpoint -q "$1" || { echo "$1 is no file system of its own: filling it would fill the one that it lies on" >&2; exit 3; }
set -- "$1" $(stat -f -c '%b %S' "$1")
[ $(($2 * $3)) -le 1073741824 ] || { echo "$1 is larger than 1 GiB: it is not one that was made to be filled" >&2; exit 3; }
cat /dev/zero >"$1/` + fillerName + `" 2>/dev/null
[ -s "$1/` + fillerName + `" ]`

// room prints the free blocks, all blocks, the size of a block, and the
// filler's bytes, "-" if it is not there.
const room = `stat -f -c '%a %b %S' "$1" && { stat -c %s "$1/` + fillerName + `" 2>/dev/null || echo -; }`

// Kind is "disk-full".
func (DiskFull) Kind() string { return "disk-full" }

func (f DiskFull) path() string { return cmp.Or(f.Path, topology.SmallDisk) }

// Validate reports a path that cannot be a mount of its own.
func (f DiskFull) Validate() error {
	if p := f.path(); !path.IsAbs(p) || path.Clean(p) != p || p == "/" {
		return fmt.Errorf("%s: path %q: want where a small file system is mounted, such as %s", f.Kind(), f.Path, topology.SmallDisk)
	}
	return nil
}

// Inject fills the file system; the undo removes the file. One that has such a file
// is an error, before any act.
func (f DiskFull) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	if err := f.Validate(); err != nil {
		return err
	}
	vs, err := runningVictims(ctx, f.Kind(), nodes, 0, false)
	if err != nil {
		return err
	}
	if err := without(ctx, f.Kind(), vs, f.path()+"/"+fillerName, "the file system has a file that fills it"); err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, ensures(FillerAbsent, map[string]string{"path": f.path()}), func(v victim) error {
		return succeed(v.Exec(ctx, "/bin/sh", "-c", fill, "sh", f.path()))
	})
}

// Active holds when the filler is there and statfs says that less than one
// page of PostgreSQL's is free.
func (f DiskFull) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, "0", func(r space) bool { return r.filler >= 0 && r.free < lastPage })
}

// Healed holds when the filler is gone and there is room.
func (f DiskFull) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	return f.look(ctx, nodes, fmt.Sprintf("at least %d", lastPage), func(r space) bool { return r.filler < 0 && r.free >= lastPage })
}

func (f DiskFull) look(ctx context.Context, nodes []topology.Node, asked string, right func(space) bool) (Proof, error) {
	vs, err := victims(f.Kind(), nodes, 0, false)
	if err != nil {
		return Proof{}, err
	}
	p, err := prove(ctx, asked, vs, func(ctx context.Context, v victim) (sight, error) {
		s := sight{ok: true}
		out, err := v.Exec(ctx, "/bin/sh", "-c", room, "sh", f.path())
		if err := succeed(out, err); err != nil {
			return s, err
		}
		r, err := parseSpace(string(out.Stdout))
		if err != nil {
			return s, err
		}
		s.measured = strconv.FormatInt(r.free, 10)
		filler := "there is no filler"
		if r.filler >= 0 {
			filler = fmt.Sprintf("the filler has %d bytes", r.filler)
		}
		s.see(right(r), "statfs of %s: %d bytes free of %d; %s", f.path(), r.free, r.size, filler)
		return s, nil
	})
	p.Unit = "bytes free"
	return p, err
}

// space is a file system's, in bytes; filler is -1 if it is not there.
type space struct{ free, size, filler int64 }

// parseSpace reads what room prints.
func parseSpace(text string) (space, error) {
	f := strings.Fields(text)
	if len(f) != 4 {
		return space{}, fmt.Errorf("space of the disk: %q: want four words", text)
	}
	var n [3]int64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseInt(f[i], 10, 64); err != nil {
			return space{}, fmt.Errorf("space of the disk: %q: %w", text, err)
		}
	}
	s := space{free: n[0] * n[2], size: n[1] * n[2], filler: -1}
	if f[3] != "-" {
		var err error
		if s.filler, err = strconv.ParseInt(f[3], 10, 64); err != nil {
			return space{}, fmt.Errorf("space of the disk: %q: %w", text, err)
		}
	}
	return s, nil
}

// ensureNoFiller removes the filler, whether or not it is there. A container
// that is down has lost what it had in memory.
func ensureNoFiller(ctx context.Context, n topology.Node, params map[string]string) error {
	if err := (DiskFull{Path: params["path"]}).Validate(); err != nil {
		return err
	}
	err := succeed(n.Exec(ctx, "rm", "-f", params["path"]+"/"+fillerName))
	if errors.Is(err, topology.ErrNotRunning) {
		return nil
	}
	return err
}
