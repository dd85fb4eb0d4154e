package fault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// DiskSlow has a disk of each target take so many writes a second and no more, by
// the kernel's limit for the container's control group: a disk that others keep
// busy, or one that is worn out. Reads are not held back. What counts is each
// write that the device is given, as a database's fsync gives them, and each
// order to flush what it holds. Under version 1 of control groups only what a
// process writes out itself is held back, by fsync or without the page cache,
// and not what the kernel writes out later; under version 2, which has not been
// run, that too, where the file system tells whose it is.
//
// Where the kernel or the engine has no such limit it is refused before anything
// starts. A restart of the container ends it. The zero value is for the database
// of jetty-ha with the switch database-disk=volume.
type DiskSlow struct {
	// Writes are how many a second, 10 to 1000: below, the proof takes too long,
	// and beyond, many a disk is no faster. 0 is DefaultDiskWrites.
	Writes int `json:"writes,omitempty"`
	// Path is where the disk is mounted; empty is topology.DatabaseDisk.
	Path string `json:"path,omitempty"`
}

// DefaultDiskWrites make each flush of a write-ahead log take a tenth of a second
// and more.
const DefaultDiskWrites = 20

const (
	leastDiskWrites = 10
	mostDiskWrites  = 1000
)

// Kind is "disk-slow".
func (DiskSlow) Kind() string { return "disk-slow" }

// Demands implements Demanding.
func (DiskSlow) Demands() topology.Feature { return topology.BlockThrottle }

// Instead implements Demanding.
func (DiskSlow) Instead() string {
	return "use the fault latency, by which Toxiproxy delays the database's answers, or database-slow-inside, which delays its writes to a table"
}

func (f DiskSlow) writes() int  { return cmp.Or(f.Writes, DefaultDiskWrites) }
func (f DiskSlow) path() string { return cmp.Or(f.Path, topology.DatabaseDisk) }

// Validate reports a rate that cannot be proven, and a path that cannot be a
// mount of its own.
func (f DiskSlow) Validate() error {
	if w := f.writes(); w < leastDiskWrites || w > mostDiskWrites {
		return fmt.Errorf("%s: %d writes a second: want %d to %d, or 0 for %d", f.Kind(), f.Writes, leastDiskWrites, mostDiskWrites, DefaultDiskWrites)
	}
	if p := f.path(); !path.IsAbs(p) || path.Clean(p) != p || p == "/" {
		return fmt.Errorf("%s: path %q: want where a disk of the target's own is mounted, such as %s", f.Kind(), f.Path, topology.DatabaseDisk)
	}
	return nil
}

// diskVictim is a target with its disk.
type diskVictim struct {
	victim
	disk topology.DiskLimited
}

// diskVictims checks, before any act, that there are targets, and that each has
// disks that can be limited.
func diskVictims(kind string, nodes []topology.Node) ([]diskVictim, error) {
	vs, err := victims(kind, nodes, 0, false)
	if err != nil {
		return nil, err
	}
	all := make([]diskVictim, 0, len(vs))
	for _, v := range vs {
		d, err := diskLimited(v.Container)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		all = append(all, diskVictim{v, d})
	}
	return all, nil
}

// diskLimited is the node's capability to have its disks limited.
func diskLimited(n topology.Node) (topology.DiskLimited, error) {
	if d, ok := n.(topology.DiskLimited); ok {
		return d, nil
	}
	return nil, fmt.Errorf("node %s: %w (disks that can be limited)", n.Name(), ErrCapability)
}

// limit is what is in force on the victim's disk.
func (f DiskSlow) limit(ctx context.Context, v diskVictim) (topology.DiskLimit, error) {
	l, err := v.disk.DiskLimit(ctx, f.path())
	if errors.Is(err, topology.ErrNotFound) {
		err = fmt.Errorf("%w (a volume at %s; `--set database-disk=volume` gives the database of jetty-ha one): %w", ErrCapability, f.path(), err)
	}
	return l, err
}

// Inject limits the disks; the undo takes the limits away. A container that does
// not run, or whose disk is limited already, is an error, before any act: the
// first heal would take that limit away.
func (f DiskSlow) Inject(ctx context.Context, nodes []topology.Node, log Recorder) error {
	if err := f.Validate(); err != nil {
		return err
	}
	vs, err := diskVictims(f.Kind(), nodes)
	if err != nil {
		return err
	}
	err = inTurn(f.Kind(), vs, func(v diskVictim) error {
		l, err := f.limit(ctx, v)
		if err == nil && l.Writes > 0 {
			err = fmt.Errorf("its disk %s is limited to %d writes a second already: heal that first, or aim at another node", l.Device, l.Writes)
		}
		return err
	})
	if err != nil {
		return err
	}
	return actOn(f.Kind(), vs, log, func(v diskVictim) Entry {
		return Entry{Undo: DiskUnlimited, Node: v.Name(), Params: map[string]string{"path": f.path()}}
	}, func(v diskVictim) error {
		return v.disk.LimitDisk(ctx, f.path(), f.writes())
	})
}

// writeOut writes to the disk at $1 for $5 seconds, one block after the other,
// each of them given to the device before the next, but no more than $4 of them.
// The file has no name by then, so that it goes with the process, however that
// ends. It prints how many writes to the device $2 the kernel had counted for
// the container's control group before and after, the two times in nanoseconds,
// and how many of them were its own.
//
// $3 writes come first: a group that has written nothing for a while may write
// what the limit gives in a tenth of a second at once (the kernel's
// block/blk-throttle.c rounds the time that has passed up to a slice).
const writeOut = `cd "$1" && exec 3>hachaos-probe && rm hachaos-probe || exit
device=$2 c=/sys/fs/cgroup
counted() {
	if [ -e $c/blkio/blkio.throttle.io_serviced ]; then
		while read -r d what n; do
			[ "$d $what" != "$device Write" ] || { echo $n; return; }
		done <$c/blkio/blkio.throttle.io_serviced
	else
		while read -r d all; do
			for word in $all; do
				[ "$d ${word%=*}" != "$device wios" ] || { echo ${word#*=}; return; }
			done
		done <$c/io.stat || exit
	fi
	echo 0
}
put() {
	said=$(LC_ALL=C timeout -s INT $2 dd if=/dev/zero of=/dev/fd/3 bs=4096 count=$1 oflag=direct conv=notrunc 2>&1)
	case $? in 0 | 124) return ;; esac
	echo "${said%%
*}" >&2
	exit 1
}
put $3 $5
before=$(counted) from=$(date +%s%N)
put $4 $5
after=$(counted) to=$(date +%s%N)
own=${said#*records in
}
echo "$before $after $from $to ${own%%+*}"`

// For how long is written. A tenth is allowed: of two seconds a twentieth is the
// slice of 0.1 s by which the kernel lets a group run ahead, and of sixty writes
// a twentieth are three that wait at the one end and not at the other, since
// version 1 counts them as they come and not as they go.
const (
	leastWritten    = 2 * time.Second
	leastDiskCounts = 60
)

func (f DiskSlow) lasts() time.Duration {
	return max(leastWritten, leastDiskCounts*time.Second/time.Duration(f.writes()))
}

// ahead are the writes that come first: two slices' worth, and two.
func (f DiskSlow) ahead() int { return f.writes()/5 + 2 }

// most are three times what the limit lets through: a disk without one has made
// them in a moment.
func (f DiskSlow) most() int { return int(3 * time.Duration(f.writes()) * f.lasts() / time.Second) }

// written is what writeOut measured.
type written struct {
	all, own int64 // of the control group, and of the look itself
	over     time.Duration
}

// rate is of all, in writes a second.
func (w written) rate() float64 { return float64(w.all) / w.over.Seconds() }

// parseWritten reads the line that writeOut prints.
func parseWritten(text string) (written, error) {
	f := strings.Fields(text)
	if len(f) != 5 {
		return written{}, fmt.Errorf("writes to the disk: %.80q: want five numbers", text)
	}
	var n [5]int64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseInt(f[i], 10, 64); err != nil || n[i] < 0 {
			return written{}, fmt.Errorf("writes to the disk: %.80q: want five numbers", text)
		}
	}
	w := written{all: n[1] - n[0], own: n[4], over: time.Duration(n[3] - n[2])}
	if w.all < 0 || w.over <= 0 {
		return written{}, fmt.Errorf("writes to the disk: %.80q: want counts and times that grow", text)
	}
	return w, nil
}

// write has the victim write to its disk, and measures.
func (f DiskSlow) write(ctx context.Context, v diskVictim, device string) (written, error) {
	out, err := v.Exec(ctx, "/bin/sh", "-c", writeOut, "sh", f.path(), device,
		strconv.Itoa(f.ahead()), strconv.Itoa(f.most()), strconv.FormatFloat(f.lasts().Seconds(), 'f', -1, 64))
	if err := succeed(out, err); err != nil {
		return written{}, err
	}
	return parseWritten(string(out.Stdout))
}

// String is what was measured, in words.
func (w written) String() string {
	return fmt.Sprintf("while it wrote all the time, each write awaited, its control group made %d writes to the disk in %v by the kernel's count, %d of them the look's own",
		w.all, w.over.Round(time.Millisecond), w.own)
}

// Active holds when the kernel says that the asked limit is in force, and the
// disk takes the asked number of writes a second of the container, within a
// tenth, by the kernel's count for its control group, while the look always has
// one to make: whatever else the container writes then counts, too, and has less
// of the disk for these two seconds and more. Asked and Measured are writes a
// second.
func (f DiskSlow) Active(ctx context.Context, nodes []topology.Node) (Proof, error) {
	p, err := f.look(ctx, nodes, strconv.Itoa(f.writes()), func(ctx context.Context, s *sight, v diskVictim, l topology.DiskLimit) error {
		s.see(l.Writes == f.writes(), "the kernel says that its limit for disk %s is %d writes a second, asked %d", l.Device, l.Writes, f.writes())
		if l.Writes == 0 {
			s.measured = "no limit"
			return nil
		}
		w, err := f.write(ctx, v, l.Device)
		if err != nil {
			return err
		}
		s.measured = fmt.Sprintf("%.1f", w.rate())
		s.see(within(w.rate(), float64(f.writes())), "%s: %.1f a second", w, w.rate())
		s.see(w.own > 0 && w.own <= w.all, "the kernel counted what the look wrote: %t", w.own <= w.all)
		return nil
	})
	p.Unit = "writes/s"
	return p, err
}

// Healed holds when the kernel says that there is no limit, and the disk takes
// more writes than the fault let through, by more than the tolerance.
func (f DiskSlow) Healed(ctx context.Context, nodes []topology.Node) (Proof, error) {
	p, err := f.look(ctx, nodes, "no limit", func(ctx context.Context, s *sight, v diskVictim, l topology.DiskLimit) error {
		s.see(l.Writes == 0, "the kernel says that its limit for disk %s is %d writes a second; 0 is none", l.Device, l.Writes)
		if !s.ok {
			s.measured = fmt.Sprintf("limited to %d", l.Writes)
			return nil
		}
		w, err := f.write(ctx, v, l.Device)
		if err != nil {
			return err
		}
		s.measured = fmt.Sprintf("%.1f", w.rate())
		s.see(w.rate() > 1.1*float64(f.writes()), "%s: %.1f a second", w, w.rate())
		return nil
	})
	p.Unit = "writes/s"
	return p, err
}

// look asks the kernel for each victim's limit, and then the victim.
func (f DiskSlow) look(ctx context.Context, nodes []topology.Node, asked string,
	see func(context.Context, *sight, diskVictim, topology.DiskLimit) error,
) (Proof, error) {
	vs, err := diskVictims(f.Kind(), nodes)
	if err != nil {
		return Proof{}, err
	}
	return prove(ctx, asked, vs, func(ctx context.Context, v diskVictim) (sight, error) {
		s := sight{ok: true}
		l, err := f.limit(ctx, v)
		if err != nil {
			return s, err
		}
		return s, see(ctx, &s, v, l)
	})
}

// ensureDiskUnlimited needs nothing where the container is down: its control
// group, and the limit, went with it.
func ensureDiskUnlimited(ctx context.Context, n topology.Node, params map[string]string) error {
	if err := (DiskSlow{Path: params["path"]}).Validate(); err != nil {
		return err
	}
	d, err := diskLimited(n)
	if err != nil {
		return err
	}
	err = d.LimitDisk(ctx, (DiskSlow{Path: params["path"]}).path(), 0)
	if errors.Is(err, topology.ErrNotRunning) {
		return nil
	}
	return err
}
