package observe

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// parseAddrs reads `ip -j -4 addr`: the addresses of all interfaces.
func parseAddrs(text []byte) ([]netip.Addr, error) {
	var links []struct {
		AddrInfo []struct {
			Local string `json:"local"`
		} `json:"addr_info"`
	}
	if err := json.Unmarshal(text, &links); err != nil {
		return nil, fmt.Errorf("ip addr: %w", err)
	}
	var addrs []netip.Addr
	for _, l := range links {
		for _, i := range l.AddrInfo {
			a, err := netip.ParseAddr(i.Local)
			if err != nil {
				return nil, fmt.Errorf("ip addr: %w", err)
			}
			addrs = append(addrs, a)
		}
	}
	return addrs, nil
}

// addrScript prints, ten times a second, a line of three: the wall time in
// seconds before and after the question, and the answer of `ip -j -4 addr`.
// It is bash's: its clock and its timed read (of a pipe that never has
// anything) start no process.
const addrScript = `exec 3<> <(:)
while :; do
	began=$EPOCHREALTIME
	addrs=$(ip -j -4 addr) || addrs='[]'
	printf '%s %s %s\n' "$began" "$EPOCHREALTIME" "${addrs//$'\n'/}" || exit
	read -r -t 0.1 -u 3
done`

// An addrLine is one line of addrScript.
type addrLine struct {
	began, ended time.Time
	addrs        []netip.Addr
}

// parseAddrLine reads a line of addrScript.
func parseAddrLine(line string) (addrLine, error) {
	began, rest, _ := strings.Cut(line, " ")
	ended, addrs, ok := strings.Cut(rest, " ")
	if !ok {
		return addrLine{}, fmt.Errorf("line %.80q: want two times and a list of addresses", line)
	}
	var (
		l   addrLine
		err error
	)
	if l.began, err = parseEpoch(began); err != nil {
		return addrLine{}, err
	}
	if l.ended, err = parseEpoch(ended); err != nil {
		return addrLine{}, err
	}
	l.addrs, err = parseAddrs([]byte(addrs))
	return l, err
}

// parseEpoch reads bash's EPOCHREALTIME: seconds since 1970 with six
// decimals after a point, or a comma in some locales.
func parseEpoch(s string) (time.Time, error) {
	seconds, micro, ok := strings.Cut(strings.Replace(s, ",", ".", 1), ".")
	sec, err := strconv.ParseInt(seconds, 10, 64)
	us, err2 := strconv.ParseUint(micro, 10, 32)
	if !ok || err != nil || err2 != nil || len(micro) != 6 || sec < 0 {
		return time.Time{}, fmt.Errorf("%q is not a time in seconds with six decimals", s)
	}
	return time.Unix(sec, int64(us)*1000), nil
}
