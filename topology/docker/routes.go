package docker

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/bits"
	"net"
	"net/netip"
	"os"
	"strings"
)

// hostRoutes are the host's IPv4 routes but the default one, and the networks
// of its interfaces.
func hostRoutes() ([]use, error) {
	used, err := interfaceNetworks()
	if err != nil {
		return nil, fmt.Errorf("read the host's addresses: %w", err)
	}
	file, err := os.Open("/proc/net/route")
	if errors.Is(err, fs.ErrNotExist) {
		return used, nil // no Linux: the interfaces have to do
	}
	if err != nil {
		return nil, fmt.Errorf("read the host's routes: %w", err)
	}
	defer file.Close()
	routes, err := parseRoutes(file)
	return append(used, routes...), err
}

func interfaceNetworks() ([]use, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var used []use
	for _, card := range interfaces {
		addresses, err := card.Addrs()
		if err != nil {
			continue // it went away meanwhile
		}
		for _, address := range addresses {
			if prefix, err := netip.ParsePrefix(address.String()); err == nil && prefix.Addr().Is4() {
				used = append(used, use{prefix: prefix.Masked(), by: "interface " + card.Name})
			}
		}
	}
	return used, nil
}

// parseRoutes reads Linux' /proc/net/route: a heading, then lines whose first,
// second and eighth fields are the interface, the destination and the mask;
// the numbers are hexadecimal in the machine's byte order, little endian.
func parseRoutes(r io.Reader) ([]use, error) {
	var used []use
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 8 || fields[0] == "Iface" {
			continue
		}
		destination, err := hexAddr(fields[1])
		if err != nil {
			return nil, err
		}
		mask, err := hexAddr(fields[7])
		if err != nil {
			return nil, err
		}
		ones := maskBits(mask)
		if ones == 0 {
			continue // the default route overlaps everything and means nothing
		}
		used = append(used, use{
			prefix: netip.PrefixFrom(destination, ones).Masked(),
			by:     "the route through " + fields[0],
		})
	}
	return used, lines.Err()
}

func hexAddr(field string) (netip.Addr, error) {
	raw, err := hex.DecodeString(field)
	if err != nil || len(raw) != 4 {
		return netip.Addr{}, fmt.Errorf("route with address %q: not 8 hexadecimal digits", field)
	}
	return netip.AddrFrom4([4]byte{raw[3], raw[2], raw[1], raw[0]}), nil
}

func maskBits(mask netip.Addr) int {
	octets := mask.As4()
	return bits.LeadingZeros32(^binary.BigEndian.Uint32(octets[:]))
}
