package docker

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hachaos/hachaos/topology"
)

var _ topology.DiskLimited = (*node)(nil)

// diskScript runs in a helper on the engine's host: see hostBox. $0 is the id of a
// container, $1 the number of its first process, $2 where its disk is mounted,
// and $3, if it is there, the writes a second to limit it to. It prints the
// disk's number and then the kernel's limits. The status is 3 where there is no
// such process any more.
//
// The control group is the one that the process is in: where an engine puts it
// depends on its version and its driver (cgroupfs, systemd). That its name has
// the container's id is held to, so that no other is ever written to. A disk is
// limited as a whole; the kernel refuses the number of a part of it.
const diskScript = `fail() { echo "$*" >&2; exit 4; }
proc=/proc/$1 tree=` + hostTree + ` device= file=
[ -r $proc/cgroup ] || exit 3
groups=$(cat $proc/cgroup) && mounts=$(cat $proc/mountinfo) || exit 3
while read -r _ _ number _ at _; do
	[ "$at" != "$2" ] || device=$number
done <<end
$mounts
end
[ -n "$device" ] || fail "nothing is mounted at $2"
block=/sys/dev/block/$device
[ -e $block ] || fail "the file system at $2 lies on no block device that the kernel could limit: its number is $device"
[ ! -e $block/partition ] || device=$(cat $block/../dev) || exit
while IFS=: read -r _ controllers at; do
	case ,$controllers, in
	*,blkio,*) file=$tree/$controllers$at/blkio.throttle.write_iops_device; break ;;
	,,) file=$tree$at/io.max; [ -e $tree/cgroup.controllers ] || file=$tree/unified$at/io.max ;;
	esac
done <<end
$groups
end
case $file in *$0*) ;; *) fail "process $1 is in the control group of ${file:-nothing}, and not in one of its container" ;; esac
[ -w $file ] || fail "there is no $file that may be written: the kernel or the engine does not limit what a container writes"
if [ -n "$3" ]; then
	limit=$device\ $3
	case $file in
	*/io.max) limit="$device wiops=$3"; [ $3 != 0 ] || limit="$device wiops=max" ;;
	esac
	echo "$limit" >$file || fail "$file does not take $limit"
fi
echo $device && cat $file`

// diskGone is the script's status where the process is no more.
const diskGone = 3

// DiskLimit implements topology.DiskLimited.
func (n *node) DiskLimit(ctx context.Context, at string) (topology.DiskLimit, error) {
	l, err := n.disk(ctx, at, "")
	if err != nil {
		return l, fmt.Errorf("limit of disk %s of node %s: %w", at, n.spec.Name, err)
	}
	return l, nil
}

// LimitDisk implements topology.DiskLimited.
func (n *node) LimitDisk(ctx context.Context, at string, writes int) error {
	l, err := n.disk(ctx, at, strconv.Itoa(writes))
	if err == nil && l.Writes != writes {
		err = fmt.Errorf("the kernel says that the limit is %d writes a second, want %d", l.Writes, writes)
	}
	if err != nil {
		return fmt.Errorf("limit disk %s of node %s: %w", at, n.spec.Name, err)
	}
	return nil
}

// disk sets a limit, unless it is empty, and reads what is in force. Only
// version 1 of control groups has been run; version 2 is by its manual.
func (n *node) disk(ctx context.Context, at, limit string) (topology.DiskLimit, error) {
	if !slices.Contains(n.spec.Disks, at) {
		return topology.DiskLimit{}, fmt.Errorf("a disk of its own there: %w", topology.ErrNotFound)
	}
	state, err := n.Inspect(ctx)
	if err != nil {
		return topology.DiskLimit{}, err
	}
	if !state.Running {
		return topology.DiskLimit{}, fmt.Errorf("%w: its limits went with its control group", topology.ErrNotRunning)
	}
	out, err := n.cluster.onHost(ctx, limitDisk(n.id, state.Pid, at, limit)...)
	if err != nil {
		return topology.DiskLimit{}, err
	}
	return diskLimitOf(out)
}

// limitDisk is the command that runs the script.
func limitDisk(id string, pid int, at, limit string) []string {
	return []string{"/bin/sh", "-c", diskScript, id, strconv.Itoa(pid), at, limit}
}

// diskLimitOf is what the script found.
func diskLimitOf(out topology.Output) (topology.DiskLimit, error) {
	switch out.Code {
	case 0:
		return parseDiskLimit(string(out.Stdout))
	case diskGone:
		return topology.DiskLimit{}, fmt.Errorf("%w: it ended in the same moment: try again", topology.ErrNotRunning)
	}
	return topology.DiskLimit{}, errors.New(strings.TrimSpace(string(out.Stderr)))
}

// deviceNumber is the kernel's, of a block device.
var deviceNumber = regexp.MustCompile(`^[0-9]+:[0-9]+$`)

// parseDiskLimit reads what the script prints: of version 1, "254:0 20" for each
// disk that is limited; of version 2, "254:0 rbps=max wbps=max riops=max wiops=20".
func parseDiskLimit(text string) (topology.DiskLimit, error) {
	device, limits, _ := strings.Cut(text, "\n")
	l := topology.DiskLimit{Device: device}
	if !deviceNumber.MatchString(device) {
		return topology.DiskLimit{}, fmt.Errorf("limit of a disk: %.80q: want the number of a device", text)
	}
	for line := range strings.Lines(limits) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != device {
			continue
		}
		for _, word := range f[1:] {
			key, value, version2 := strings.Cut(word, "=")
			if !version2 {
				key, value = "wiops", word
			}
			if key != "wiops" || value == "max" {
				continue
			}
			writes, err := strconv.ParseUint(value, 10, 32)
			if err != nil {
				return topology.DiskLimit{}, fmt.Errorf("limit of a disk: %.80q: %w", line, err)
			}
			l.Writes = int(writes)
		}
	}
	return l, nil
}
