package topology

import (
	"fmt"
	"maps"
	"net/netip"
	"strconv"
	"time"
)

// Names and numbers of jetty-ha that its parts share.
const (
	jettyName     = "jetty-ha"
	jettyDir      = "fixtures/jetty-ha/"
	jettyMinNodes = 2
	jettyMaxNodes = 8

	jettyPort    = 8080
	databasePort = 5432
	toxiproxyAPI = 8474
	// Node i's way to the database is toxiproxy's port jettyDatabasePort+i.
	jettyDatabasePort = 15431
	// The nodes' way to the price service is another port of toxiproxy's.
	jettyPricePort = 15400
	pricePort      = 8090

	// jettyFirstVersion is the application's, of two that its images hold.
	jettyFirstVersion = "1"

	// virtualRouter is VRRP's number of the pair.
	virtualRouter = 51

	// Containers weigh half of the load generator, which shares the cores
	// with a JVM that boots.
	jettyShares = 512
)

// Addresses are these hosts of the run's subnet.
const (
	hostDatabase  = 10
	hostPrice     = 11
	hostToxiproxy = 20
	hostJetty     = 20 // plus the node's number, from 1
	hostBalancer  = 30 // plus the balancer's number, from 1
	hostVIP       = 100
)

// JettyHA is the built-in stack: two HAProxy with keepalived and one VIP, two
// to eight Jetty nodes with their sessions in PostgreSQL, and a Toxiproxy
// between every node and the database.
func JettyHA() Definition {
	return Definition{
		Name:     jettyName,
		About:    "HAProxy pair with a VIP, Jetty nodes with JDBC sessions, PostgreSQL behind Toxiproxy",
		Profiles: []string{profileTuned, profileDocumented},
		Switches: jettySwitches(),
		Plan:     planJetty,
	}
}

// planJetty validates the options once; the returned Plan only fails for a
// subnet that has no room.
func planJetty(opts Options) (Plan, error) {
	profile, err := jettyProfileByName(opts.Profile)
	if err != nil {
		return nil, err
	}
	nodes := opts.Nodes
	if nodes == 0 {
		nodes = jettyMinNodes
	}
	if nodes < jettyMinNodes || nodes > jettyMaxNodes {
		return nil, fmt.Errorf("topology %s: %d application nodes: it takes %d to %d", jettyName, nodes, jettyMinNodes, jettyMaxNodes)
	}
	set, err := parseJettySwitches(opts.Set, nodes)
	if err != nil {
		return nil, err
	}
	plan := jettyPlan{profile: profile, nodes: nodes, set: set, changed: Changed(jettySwitches(), opts.Set)}
	return plan.spec, nil
}

// jettyPlan is everything that does not depend on the subnet.
type jettyPlan struct {
	profile jettyProfile
	nodes   int
	set     jettySet
	changed map[string]string // the switches that differ from their defaults
}

func (p jettyPlan) spec(subnet netip.Prefix) (Spec, error) {
	if !subnet.Addr().Is4() || subnet.Bits() > 24 {
		return Spec{}, fmt.Errorf("topology %s: subnet %s: it takes an IPv4 network of /24 or wider", jettyName, subnet)
	}
	net := jettyNet{subnet: subnet.Masked()}
	spec := Spec{
		Name:      jettyName,
		Profile:   p.profile.name,
		Subnet:    net.subnet,
		VIP:       net.host(hostVIP),
		Port:      80,
		ReadyPath: "/health/ready",
		Set:       maps.Clone(p.changed),
		Values:    p.values(),
		Bounds:    p.bounds(),
	}
	proxy, err := p.toxiproxy(net)
	if err != nil {
		return Spec{}, err
	}
	spec.Nodes = append(spec.Nodes, p.database(net))
	if p.hasPrice() {
		price, err := p.price(net)
		if err != nil {
			return Spec{}, err
		}
		spec.Nodes = append(spec.Nodes, price)
	}
	spec.Nodes = append(spec.Nodes, proxy)
	for i := 1; i <= p.nodes; i++ {
		spec.Nodes = append(spec.Nodes, p.application(net, i))
	}
	for i := 1; i <= 2; i++ {
		balancer, err := p.balancer(net, i)
		if err != nil {
			return Spec{}, err
		}
		spec.Nodes = append(spec.Nodes, balancer)
	}
	return spec, nil
}

func (p jettyPlan) database(net jettyNet) NodeSpec {
	db := NodeSpec{
		Name:  "db",
		Role:  Database,
		Image: "postgres",
		Addr:  net.host(hostDatabase),
		// What the harness reads the ledger with; the image has the role.
		Env: map[string]string{
			"HACHAOS_DATABASE": "jetty_sessions",
			"HACHAOS_USER":     "hachaos",
			"HACHAOS_PASSWORD": "hachaos",
		},
		Shares: jettyShares,
		Shm:    128 << 20,
		Port:   databasePort,
	}
	if tables := smallDiskTables[p.set.values["small-disk"]]; tables != "" {
		db.Env["TABLES_ON_DISK"] = tables
		db.Tmpfs = map[string]int64{SmallDisk: smallDiskSize}
	}
	if p.set.is("database-disk", "volume") {
		db.Disks = []string{DatabaseDisk}
	}
	return db
}

func (p jettyPlan) toxiproxy(net jettyNet) (NodeSpec, error) {
	config, err := render("toxiproxy.json.tmpl", toxiproxyData{
		Proxies: p.proxies(net),
	})
	if err != nil {
		return NodeSpec{}, err
	}
	const path = "/etc/hachaos/toxiproxy.json"
	return NodeSpec{
		Name:   "toxi",
		Role:   Proxy,
		Image:  "toxiproxy",
		Addr:   net.host(hostToxiproxy),
		Files:  []File{{Path: path, Mode: 0o644, Content: config}},
		Cmd:    []string{"-host", "0.0.0.0", "-port", strconv.Itoa(toxiproxyAPI), "-config", path},
		Shares: jettyShares,
		Port:   toxiproxyAPI,
	}, nil
}

func (p jettyPlan) application(net jettyNet, i int) NodeSpec {
	name := jettyNode(i)
	env := map[string]string{
		"NODE":    name,
		"VERSION": jettyFirstVersion,
		"DB_URL": fmt.Sprintf("jdbc:postgresql://%s/jetty_sessions?ApplicationName=%s%s",
			netip.AddrPortFrom(net.host(hostToxiproxy), uint16(jettyDatabasePort+i)), name, p.databaseOptions()),
		"DB_USER":     "jetty_user",
		"DB_PASSWORD": "SecurePassword123!",
	}
	maps.Copy(env, p.env())
	if p.hasPrice() {
		env["DEPENDENCY_ADDR"] = netip.AddrPortFrom(net.host(hostToxiproxy), jettyPricePort).String()
	}
	return NodeSpec{
		Name:   name,
		Role:   Application,
		Image:  p.profile.image,
		Addr:   net.host(hostJetty + i),
		Env:    env,
		Shares: jettyShares,
		Port:   jettyPort,
		Ready:  "/health/ready",
	}
}

// databaseOptions are the driver's, appended to the database's address.
func (p jettyPlan) databaseOptions() string {
	if p.set.is("db-timeouts", "off") {
		return ""
	}
	return p.profile.databaseOptions
}

func (p jettyPlan) balancer(net jettyNet, i int) (NodeSpec, error) {
	name := "lb" + strconv.Itoa(i)
	haproxy, err := render(p.profile.haproxy, p.haproxyData(net, name))
	if err != nil {
		return NodeSpec{}, err
	}
	advertInt, router := p.profile.advertInt, virtualRouter
	if p.set.is("advert", "1s") {
		advertInt = time.Second
	}
	if p.set.is("router", "two") {
		router += i
	}
	keepalived, err := render("keepalived.conf.tmpl", keepalivedData{
		Name:          name,
		Addr:          net.host(hostBalancer + i),
		Peer:          net.host(hostBalancer + 3 - i),
		VIP:           net.host(hostVIP),
		Bits:          net.subnet.Bits(),
		Priority:      p.profile.priorities[i-1],
		AdvertInt:     advertInt,
		TrackInterval: p.profile.trackInterval,
		TrackFall:     p.profile.trackFall,
		Track:         p.set.values["track"],
		Fence:         p.profile.fence && p.set.is("vip-fence", "on"),
		Router:        router,
	})
	if err != nil {
		return NodeSpec{}, err
	}
	return NodeSpec{
		Name:  name,
		Role:  Balancer,
		Image: "haproxy",
		Addr:  net.host(hostBalancer + i),
		Files: []File{
			{Path: "/etc/haproxy/haproxy.cfg", Mode: 0o644, Content: haproxy},
			{Path: "/etc/keepalived/keepalived.conf", Mode: 0o644, Content: keepalived},
		},
		Caps:   []string{"NET_ADMIN", "NET_RAW"},
		Shares: jettyShares,
		Port:   80,
	}, nil
}

// jettyNode is the name of application node i, from 1.
func jettyNode(i int) string { return "j" + strconv.Itoa(i) }

// jettyNet hands out the addresses of a subnet.
type jettyNet struct{ subnet netip.Prefix }

// host is the nth address of the subnet, n at most 254.
func (n jettyNet) host(nth int) netip.Addr {
	b := n.subnet.Addr().As4()
	b[3] += byte(nth)
	return netip.AddrFrom4(b)
}

// proxies are each node's way to the database, and all nodes' to the price
// service if there is one.
func (p jettyPlan) proxies(net jettyNet) []toxiproxyProxy {
	out := make([]toxiproxyProxy, 0, p.nodes+1)
	for i := 1; i <= p.nodes; i++ {
		out = append(out, toxiproxyProxy{jettyNode(i), jettyDatabasePort + i, netip.AddrPortFrom(net.host(hostDatabase), databasePort)})
	}
	if p.hasPrice() {
		out = append(out, toxiproxyProxy{priceName, jettyPricePort, netip.AddrPortFrom(net.host(hostPrice), pricePort)})
	}
	return out
}
