package topology

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/hachaos/hachaos/fixtures"
)

// haproxyData is what the haproxy.*.cfg.tmpl templates see.
type haproxyData struct {
	Name           string
	TimeoutConnect time.Duration
	TimeoutServer  time.Duration
	TimeoutCheck   time.Duration
	Inter          time.Duration
	FastInter      time.Duration
	Fall, Rise     int
	Retries        int
	Redispatch     bool
	RetryAll       bool // HAProxy sends writes again, too
	Liar           bool
	Affinity       string // cookie, off or source
	Random         bool   // the server of a new session is drawn
	CheckPath      string // what is asked of a node; empty: its port alone
	Weighted       bool   // some server's weight was set
	Servers        []haproxyServer
	HardStop       string
	MostRequests   string // with all nodes at once; empty is without limit
	VIP            netip.Addr
	BindVIP        bool // it may send from the VIP when that has left
	KeepState      bool // the servers' states outlive a reload
}

type haproxyServer struct {
	Name   string
	Addr   netip.Addr
	Weight int
}

// keepalivedData is what keepalived.conf.tmpl sees.
type keepalivedData struct {
	Name          string
	Addr, Peer    netip.Addr
	VIP           netip.Addr
	Bits          int
	Priority      int
	AdvertInt     time.Duration
	TrackInterval time.Duration
	TrackFall     int
	Track         string // on, off or process
	Fence         bool
	Router        int // the virtual router's number
}

// toxiproxyData is what toxiproxy.json.tmpl sees.
type toxiproxyData struct {
	Proxies []toxiproxyProxy
}

type toxiproxyProxy struct {
	Name     string
	Port     int
	Upstream netip.AddrPort
}

// priceData is what price.cfg.tmpl sees.
type priceData struct{ Port int }

func (p jettyPlan) haproxyData(net jettyNet, name string) haproxyData {
	data := haproxyData{
		HardStop:       p.set.values["hard-stop"],
		VIP:            net.host(hostVIP),
		BindVIP:        p.set.is("vip-bind", "transparent"),
		KeepState:      p.set.is("server-state", "kept"),
		Name:           name,
		TimeoutConnect: p.profile.timeoutConnect,
		TimeoutServer:  p.profile.timeoutServer,
		TimeoutCheck:   p.profile.timeoutCheck,
		Inter:          p.profile.inter,
		FastInter:      p.profile.fastInter,
		Fall:           p.profile.fall,
		Rise:           p.profile.rise,
		Retries:        p.profile.retries,
		Redispatch:     p.profile.redispatch && !p.set.is("redispatch", "off"),
		RetryAll:       p.set.is("l7-retry", "all"),
		Liar:           p.set.is("check", "liar"),
		Affinity:       p.set.values["affinity"],
		Random:         p.set.is("balance", "random"),
		CheckPath:      p.checkPath(),
		Weighted:       len(p.set.weights) > 0,
	}
	if p.set.is("user-requests", "40") {
		data.MostRequests = "40"
	}
	if p.set.is("connect-timeout", "5s") {
		data.TimeoutConnect = 5 * time.Second
	}
	for i := 1; i <= p.nodes; i++ {
		server := haproxyServer{Name: jettyNode(i), Addr: net.host(hostJetty + i), Weight: defaultWeight}
		if weight, ok := p.set.weights[server.Name]; ok {
			server.Weight = weight
		}
		data.Servers = append(data.Servers, server)
	}
	return data
}

// checkPath is what HAProxy asks a node for; empty is its port alone.
func (p jettyPlan) checkPath() string {
	switch p.set.values["check"] {
	case "port":
		return ""
	case "root":
		return "/"
	}
	return p.profile.checkPath
}

// render executes a template of fixtures/jetty-ha. All of that folder's
// templates are parsed together, so that they can share definitions.
func render(name string, data any) (string, error) {
	t, err := template.New("").
		Funcs(template.FuncMap{"ms": haproxyTime, "seconds": keepalivedTime}).
		Option("missingkey=error").
		ParseFS(fixtures.FS(), "jetty-ha/*.tmpl")
	if err != nil {
		return "", fmt.Errorf("parse the templates of topology %s: %w", jettyName, err)
	}
	var text strings.Builder
	if err := t.ExecuteTemplate(&text, name, data); err != nil {
		return "", fmt.Errorf("render %s of topology %s: %w", name, jettyName, err)
	}
	return text.String(), nil
}

// haproxyTime writes a duration as HAProxy reads it: "250ms".
func haproxyTime(d time.Duration) string { return millis(d) + "ms" }

// keepalivedTime writes a duration as keepalived reads it: seconds, "0.2".
func keepalivedTime(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
