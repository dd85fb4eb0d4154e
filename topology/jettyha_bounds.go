package topology

import (
	"fmt"
	"strconv"
	"time"
)

// Sources of the formulas.
const (
	sourceCheck   = `HAProxy 3.0 Configuration Manual, 5.2 "inter", "fastinter", "fall"; 4.2 "timeout check"`
	sourceRise    = `HAProxy 3.0 Configuration Manual, 5.2 "inter", "fastinter", "rise"`
	sourceRetry   = `HAProxy 3.0 Configuration Manual, 4.2 "retries", "option redispatch", "timeout connect"`
	sourceFroze   = `HAProxy 3.0 Configuration Manual, 5.2 "fall"; 4.2 "timeout check", "timeout server"`
	sourceSilent  = `HAProxy 3.0 Configuration Manual, 5.2 "inter", "fastinter", "fall"; 4.2 "option httpchk", "timeout server"`
	sourceLimit   = `HAProxy 3.0 Configuration Manual, 4.2 "timeout server", "timeout connect", "retries"`
	sourceQueue   = "Jetty 12 Operations Guide, module threadpool: maxThreads"
	sourceDown    = `HAProxy 3.0 Configuration Manual, 5.2 "inter", "fastinter", "fall"; 4.2 "option httpchk"`
	sourceJDBC    = `PostgreSQL JDBC Driver documentation, "socketTimeout", "connectTimeout"; HikariCP README, "connectionTimeout"`
	sourceVRRP    = "RFC 9568, 6.1: Active_Down_Interval = 3 × Active_Adver_Interval + Skew_Time"
	sourceTrack   = "keepalived.conf(5), vrrp_script: interval, fall; RFC 9568, 6.4.2: at priority 0 a backup waits for Skew_Time"
	sourceRemoved = "rtnetlink(7): RTM_DELADDR; RFC 9568, 6.4.2: at priority 0 a backup waits for Skew_Time"
	sourceYield   = "RFC 9568, 6.4.3: an active router that hears a higher priority yields"
	sourceLife    = "fixtures/images/jetty/src/hachaos/shop/PriceServlet.java: what is cached is used for PRICE_LIFE_MS"
	sourceRTO     = "RFC 6298, 2.1 and 5.5: the first retransmission after 1 s, later ones at twice the time"
)

// turnAround is how long HAProxy waits before it tries the same server again
// after a refused connection, if timeout connect is not shorter (manual, 4.2
// "retries").
const turnAround = time.Second

// bounds follow from the profile. The switches that plant a defect
// (redispatch=off, check=liar, …) do not move them: that is how the defect
// shows. Warm-up moves the bound on recovery.
//
// The file of a bound is the profile's if a number of its formula is there:
// those that are elsewhere are values, which name their own.
func (p jettyPlan) bounds() []Bound {
	b := boundMaker{p.profile}
	switch seconds, err := strconv.Atoi(p.set.values["restart"]); {
	case err == nil:
		b.restart = time.Duration(seconds) * time.Second
	case p.set.is("restart", "never"):
		b.restart = 0
	}
	return []Bound{
		b.detect(BoundDetectRefused, 0, "0 (refused)"),
		b.detectVanished(),
		b.detect(BoundDetectFrozen, b.frozen(), b.frozenName()),
		b.divert(),
		b.outage(BoundOutageRefused, BoundDetectRefused, b.refusedCost()),
		b.outage(BoundOutageVanished, BoundDetectVanished, b.vanishedCost()),
		b.outageFrozen(),
		b.outageAll(p.set.waits["warmup"]),
		b.unready(),
		b.ready(),
		b.vip(),
		b.vipRefused(),
		b.vipFrozen(),
		b.vipRemoved(),
		b.vipTwo(),
		b.outageVIP(),
		b.outageMoved(BoundOutageVIPRefused, b.vipRefused()),
		b.outageMoved(BoundOutageVIPRemoved, b.vipRemoved()),
		b.outageMoved(BoundOutageVIPFrozen, b.vipFrozen()),
		b.outageMoved(BoundOutageVIPTwo, b.vipTwo()),
		b.recovered(p.set.waits["warmup"]),
		b.job(),
		b.answered(),
		b.answeredPool(p.set.waits["order-work"]),
		busyThreads(p.threads()),
		b.outageUnready(),
		b.outageSilent(),
		b.database(),
		b.outageDatabase(),
		b.reconnected(),
		b.stale(),
	}
}

// boundMaker computes bounds and writes down how.
type boundMaker struct{ jettyProfile }

// detection is the time to mark a server down if one failing check takes c:
// the fault falls just after a good check, the next comes after inter, and
// fall − 1 more at fastinter.
func (b boundMaker) detection(c time.Duration) time.Duration {
	return b.inter + time.Duration(b.fall-1)*b.fastInter + time.Duration(b.fall)*c
}

func (b boundMaker) detect(name string, c time.Duration, cost string) Bound {
	return Bound{
		Name:  name,
		Limit: b.detection(c) + b.allowance,
		Formula: fmt.Sprintf("inter %s + (fall %d − 1) × fastinter %s + fall %d × %s + allowance %s",
			b.inter, b.fall, b.fastInter, b.fall, cost, b.allowance),
		Source: sourceCheck,
		File:   b.file(),
	}
}

// vanishes is detection where packets vanish. A check whose connection stood at
// the fault is the first to fail, and costs what one costs that nobody answers,
// from the fault on: that may take longer than the wait for the next one and its
// SYN's loss. No other fault makes such a check late: a process that is gone
// resets its connection, and one that is frozen costs every check as much.
func (b boundMaker) vanishes() time.Duration {
	first := max(b.inter+b.vanished(), b.frozen())
	return first + time.Duration(b.fall-1)*(b.fastInter+b.vanished())
}

func (b boundMaker) detectVanished() Bound {
	lost := fmt.Sprintf("min(timeout connect %s, inter %s)", b.timeoutConnect, b.inter)
	return Bound{
		Name:  BoundDetectVanished,
		Limit: b.vanishes() + b.allowance,
		Formula: fmt.Sprintf("max(inter %s + %s, %s) + (fall %d − 1) × (fastinter %s + %s) + allowance %s",
			b.inter, lost, b.frozenName(), b.fall, b.fastInter, lost, b.allowance),
		Source: sourceCheck,
		File:   b.file(),
	}
}

// vanished is what a check costs if its SYN is lost.
func (b boundMaker) vanished() time.Duration { return min(b.timeoutConnect, b.inter) }

// frozen is what a check costs if nobody answers it.
func (b boundMaker) frozen() time.Duration {
	if b.timeoutCheck > 0 {
		return b.timeoutCheck
	}
	return b.inter
}

func (b boundMaker) frozenName() string {
	if b.timeoutCheck > 0 {
		return "timeout check " + b.timeoutCheck.String()
	}
	return "inter " + b.inter.String() + " (timeout check is unset)"
}

// cost is how long a request is held that was sent to the dead server, and
// whether it then fails.
type cost struct {
	held    time.Duration
	formula string
	fails   bool
}

func (b boundMaker) refusedCost() cost {
	if b.redispatch {
		return cost{formula: "0 (refused, redispatched at once)"}
	}
	wait := min(b.timeoutConnect, turnAround)
	return cost{
		held:    time.Duration(b.retries) * wait,
		formula: fmt.Sprintf("retries %d × min(timeout connect %s, 1s)", b.retries, b.timeoutConnect),
		fails:   true,
	}
}

func (b boundMaker) vanishedCost() cost {
	if b.redispatch {
		return cost{held: b.timeoutConnect, formula: fmt.Sprintf("timeout connect %s (then redispatched)", b.timeoutConnect)}
	}
	return cost{
		held:    time.Duration(b.retries+1) * b.timeoutConnect,
		formula: fmt.Sprintf("(retries %d + 1) × timeout connect %s", b.retries, b.timeoutConnect),
		fails:   true,
	}
}

// divert bounds the longest that a request is held which was sent to the dead
// server at the moment of its detection.
func (b boundMaker) divert() Bound {
	c := b.vanishedCost()
	return Bound{
		Name:    BoundDivert,
		Limit:   c.held + b.allowance,
		Formula: c.formula + fmt.Sprintf(" + allowance %s", b.allowance),
		Source:  sourceRetry,
		File:    b.file(),
	}
}

// outage bounds the longest run of bad operations of the victim's share.
// With redispatch a request that cannot connect is only late, so the run
// holds what was in flight. Without, every request fails until detection.
func (b boundMaker) outage(name, detected string, c cost) Bound {
	bound := Bound{Name: name, Source: sourceRetry, File: b.file()}
	if !c.fails {
		bound.Limit = c.held + b.allowance
		bound.Formula = fmt.Sprintf("%s + allowance %s", c.formula, b.allowance)
		return bound
	}
	detection := b.detection(0)
	if detected == BoundDetectVanished {
		detection = b.vanishes()
	}
	bound.Limit = detection + c.held + b.allowance
	bound.Formula = fmt.Sprintf("%s %s + %s + allowance %s", detected, detection, c.formula, b.allowance)
	return bound
}

// outageFrozen: a frozen server accepts connections, so nothing is
// redispatched; a session's request hangs for timeout server, and its next
// ones queue behind it.
func (b boundMaker) outageFrozen() Bound {
	detection := b.detection(b.frozen())
	return Bound{
		Name:    BoundOutageFrozen,
		Limit:   detection + b.timeoutServer + b.allowance,
		Formula: fmt.Sprintf("%s %s + timeout server %s + allowance %s", BoundDetectFrozen, detection, b.timeoutServer, b.allowance),
		Source:  sourceFroze,
		File:    b.file(),
	}
}

// outageAll: with every node gone there is nobody to send a request to until
// the first is warm and the balancers hold it for up.
func (b boundMaker) outageAll(warmup time.Duration) Bound {
	rising := b.inter + time.Duration(b.rise-1)*b.fastInter + time.Duration(b.rise)*b.readyLimit
	bound := Bound{
		Name:  BoundOutageAll,
		Limit: b.restart + b.boot + warmup + rising + b.allowance,
		Formula: fmt.Sprintf("boot %s + warm-up %s + inter %s + (rise %d − 1) × fastinter %s + rise %d × the node's look %s + allowance %s",
			b.boot, warmup, b.inter, b.rise, b.fastInter, b.rise, b.readyLimit, b.allowance),
		Source: sourceRise,
		File:   b.file(),
	}
	if b.restart > 0 {
		bound.Formula = fmt.Sprintf("restart after %s + %s", b.restart, bound.Formula)
	}
	return bound
}

// unready: a check that gets its 503 may take as long as the node's own look
// at the database.
func (b boundMaker) unready() Bound {
	return Bound{
		Name:  BoundUnready,
		Limit: b.detection(b.readyLimit) + b.allowance,
		Formula: fmt.Sprintf("inter %s + (fall %d − 1) × fastinter %s + fall %d × the node's look %s + allowance %s",
			b.inter, b.fall, b.fastInter, b.fall, b.readyLimit, b.allowance),
		Source: sourceCheck,
		File:   b.file(),
	}
}

func (b boundMaker) ready() Bound {
	rising := b.inter + time.Duration(b.rise-1)*b.fastInter + time.Duration(b.rise)*b.readyLimit
	return Bound{
		Name:  BoundReady,
		Limit: rising + b.allowance,
		Formula: fmt.Sprintf("inter %s + (rise %d − 1) × fastinter %s + rise %d × the node's look %s + allowance %s",
			b.inter, b.rise, b.fastInter, b.rise, b.readyLimit, b.allowance),
		Source: sourceRise,
		File:   b.file(),
	}
}

// vip: the lower of the two priorities has the longer skew.
func (b boundMaker) vip() Bound {
	priority := min(b.priorities[0], b.priorities[1])
	skew := time.Duration(256-priority) * b.advertInt / 256
	return Bound{
		Name:  BoundVIP,
		Limit: 3*b.advertInt + skew + b.allowance,
		Formula: fmt.Sprintf("3 × advert_int %s + (256 − priority %d) / 256 × advert_int %s + allowance %s",
			b.advertInt, priority, b.advertInt, b.allowance),
		Source: sourceVRRP,
		File:   b.file(),
	}
}

// aliveWithin is how long keepalived's check waits for HAProxy's answer.
const aliveWithin = 400 * time.Millisecond

// skew is how long the backup with the lower priority waits at priority 0.
func (b boundMaker) skew() time.Duration {
	return time.Duration(256-min(b.priorities[0], b.priorities[1])) * b.advertInt / 256
}

// vipRefused: HAProxy is gone, so that keepalived's checks fail at once, the
// first of them up to an interval later; it then says priority 0.
func (b boundMaker) vipRefused() Bound {
	return Bound{
		Name:  BoundVIPRefused,
		Limit: time.Duration(b.trackFall)*b.trackInterval + b.skew() + b.allowance,
		Formula: fmt.Sprintf("track fall %d × interval %s + skew %s + allowance %s",
			b.trackFall, b.trackInterval, b.skew(), b.allowance),
		Source: sourceTrack,
		File:   b.file(),
	}
}

// vipFrozen: each check waits for an answer in vain, and keepalived begins
// none while one runs.
func (b boundMaker) vipFrozen() Bound {
	turn := (aliveWithin + b.trackInterval - 1) / b.trackInterval * b.trackInterval
	return Bound{
		Name:  BoundVIPFrozen,
		Limit: b.trackInterval + time.Duration(b.trackFall-1)*turn + aliveWithin + b.skew() + b.allowance,
		Formula: fmt.Sprintf("interval %s + (track fall %d − 1) × %s + the check's patience %s + skew %s + allowance %s",
			b.trackInterval, b.trackFall, turn, aliveWithin, b.skew(), b.allowance),
		Source: sourceTrack,
		File:   b.file(),
	}
}

// vipRemoved: the kernel tells keepalived at once, and that says priority 0.
func (b boundMaker) vipRemoved() Bound {
	return Bound{
		Name:    BoundVIPRemoved,
		Limit:   b.skew() + b.allowance,
		Formula: fmt.Sprintf("skew %s + allowance %s", b.skew(), b.allowance),
		Source:  sourceRemoved,
		File:    b.file(),
	}
}

// vipTwo: the lower of two owners hears the higher's next advertisement.
func (b boundMaker) vipTwo() Bound {
	return Bound{
		Name:    BoundVIPTwo,
		Limit:   b.advertInt + b.allowance,
		Formula: fmt.Sprintf("advert_int %s + allowance %s", b.advertInt, b.allowance),
		Source:  sourceYield,
		File:    b.file(),
	}
}

// outageVIP: what was sent to the dead owner is sent again, by TCP, after up
// to as long as it has waited, and at first after a second; only then does it
// meet the new one.
func (b boundMaker) outageVIP() Bound {
	gap := b.vip().Limit
	return Bound{
		Name:    BoundOutageVIP,
		Limit:   gap + max(gap, firstRetransmission),
		Formula: fmt.Sprintf("%s %s, with an allowance %s, + the larger of it and TCP's first retransmission of 1s", BoundVIP, gap, b.allowance),
		Source:  sourceRTO,
		File:    b.file(),
	}
}

// firstRetransmission is how long TCP waits for the answer to its first packet.
const firstRetransmission = time.Second

// outageMoved: the owner's machine lives, so that its kernel refuses, or
// resets, at once. What is lost is what was sent in the moment in which nobody
// takes packets to the address, and it is sent again after a second.
func (b boundMaker) outageMoved(name string, moved Bound) Bound {
	return Bound{
		Name:    name,
		Limit:   moved.Limit + firstRetransmission,
		Formula: fmt.Sprintf("%s %s, with an allowance %s, + TCP's first retransmission of %s", moved.Name, moved.Limit, b.allowance, firstRetransmission),
		Source:  sourceRTO,
		File:    b.file(),
	}
}

func (b boundMaker) recovered(warmup time.Duration) Bound {
	bound := Bound{
		Name:    BoundRecovered,
		Limit:   b.restart + b.boot + warmup + b.allowance,
		Formula: fmt.Sprintf("boot %s + warm-up %s + allowance %s", b.boot, warmup, b.allowance),
		Source:  "measured: Java opens its port within a second on an idle machine",
		File:    b.file(),
	}
	if b.restart > 0 {
		bound.Formula = fmt.Sprintf("restart after %s + %s", b.restart, bound.Formula)
	}
	return bound
}

// answered bounds what any request takes, however its node fares: the
// balancer connects within timeout connect, a few times at most, and gives an
// answer up that does not begin within timeout server. What the node itself
// promises is shorter: a wait for the pool, and a statement.
func (b boundMaker) answered() Bound {
	return Bound{
		Name:  BoundAnswered,
		Limit: time.Duration(b.retries+1)*b.timeoutConnect + b.timeoutServer + b.allowance,
		Formula: fmt.Sprintf("(retries %d + 1) × timeout connect %s + timeout server %s + allowance %s",
			b.retries, b.timeoutConnect, b.timeoutServer, b.allowance),
		Source: sourceLimit,
		File:   b.file(),
	}
}

// answeredPool bounds what a request takes at a node that has no connection to
// give: it waits for the pool, for its session and for its work, and is refused;
// an order that gets one in the end goes on working after its commit.
func (b boundMaker) answeredPool(orderWork time.Duration) Bound {
	held := min(poolWaits*b.poolWait, b.timeoutServer)
	return Bound{
		Name:  BoundAnsweredPool,
		Limit: held + orderWork + b.allowance,
		Formula: fmt.Sprintf("min(%d waits × pool wait %s, timeout server %s) + order work %s + allowance %s",
			poolWaits, b.poolWait, b.timeoutServer, orderWork, b.allowance),
		Source: sourceJDBC,
		File:   b.file(),
	}
}

// busyThreads: one must be left to say that the node is alive.
func busyThreads(threads int, file string) Bound {
	return Bound{
		Name: BoundThreads, Count: threads - 1,
		Formula: fmt.Sprintf("maxThreads %d − 1", threads),
		Source:  sourceQueue,
		File:    file,
	}
}

// outageUnready bounds the longest run of bad operations of the users of a
// node that answers, and whose database it cannot reach: it refuses them until
// the balancers have taken it out, and those that it had begun wait for the
// pool in vain.
func (b boundMaker) outageUnready() Bound {
	held := min(poolWaits*b.poolWait, b.timeoutServer)
	return Bound{
		Name:  BoundOutageUnready,
		Limit: b.detection(b.readyLimit) + held + b.allowance,
		Formula: fmt.Sprintf("%s %s + min(%d waits × pool wait %s, timeout server %s) + allowance %s",
			BoundUnready, b.detection(b.readyLimit), poolWaits, b.poolWait, b.timeoutServer, b.allowance),
		Source: sourceDown,
		File:   b.file(),
	}
}

// outageSilent: as outageUnready, but what the node had begun, and what it is
// sent until it is out, hangs in the database's silence: for as long as the
// driver waits, once for the session and once for the work, or until the
// balancer gives it up, after timeout server.
func (b boundMaker) outageSilent() Bound {
	return Bound{
		Name:    BoundOutageSilent,
		Limit:   b.detection(b.readyLimit) + b.timeoutServer + b.allowance,
		Formula: fmt.Sprintf("%s %s + timeout server %s + allowance %s", BoundUnready, b.detection(b.readyLimit), b.timeoutServer, b.allowance),
		Source:  sourceSilent,
		File:    b.file(),
	}
}

// stale: a node knows of no other's change, and uses what it has for its life.
// The life is the stated one: price-life does not move the bound, so that a
// cache whose values live for longer is found.
func (b boundMaker) stale() Bound {
	return Bound{
		Name:    BoundStale,
		Limit:   priceLife + b.allowance,
		Formula: fmt.Sprintf("price-life %s + allowance %s", priceLife, b.allowance),
		Source:  sourceLife,
		File:    jettySwitchesFile,
	}
}

// reconnectLook is how long a node's look at its database may hang on a
// connection that is dead: the driver's finest step (fixtures, Probe.java).
const reconnectLook = time.Second

// reconnected: what hangs on the old connections when the database is back is
// given up within the driver's limit, or the pool's wait if that is longer; a
// look that began before is over within its own; then the balancers' checks
// rise. Without a limit of the driver nothing follows from the configuration,
// and the formula leaves it out: that is how the defect shows.
func (b boundMaker) reconnected() Bound {
	rising := b.inter + time.Duration(b.rise-1)*b.fastInter + time.Duration(b.rise)*b.readyLimit
	given := max(b.socketTimeout, b.poolWait)
	return Bound{
		Name:  BoundReconnected,
		Limit: given + reconnectLook + rising + b.allowance,
		Formula: fmt.Sprintf("max(socketTimeout %s, pool wait %s) + a look under way %s + %s %s + allowance %s",
			b.socketTimeout, b.poolWait, reconnectLook, BoundReady, rising, b.allowance),
		Source: sourceJDBC,
		File:   b.file(),
	}
}

// databaseBoot is what a database is given to start and to recover from its
// log: most of it is the engine's, on a small machine.
const databaseBoot = 3 * time.Second

func (b boundMaker) database() Bound {
	return Bound{
		Name:    BoundDatabase,
		Limit:   databaseBoot + b.allowance,
		Formula: fmt.Sprintf("start and recovery %s + allowance %s", databaseBoot, b.allowance),
		Source:  "measured: PostgreSQL answers within a second of its start, with seconds of log to recover",
		File:    "topology/jettyha_bounds.go",
	}
}

// DatabasePause is how long a restarted database is away between its end and
// its start where BoundOutageDatabase is to hold: the time that an upgrade
// takes.
const DatabasePause = 2 * time.Second

// outageDatabase bounds the longest run of bad operations by a database that
// ends in order, is away for DatabasePause and starts: its end writes what is
// dirty, which its start need not recover then, so that one time is given for
// both; and the nodes find it again.
func (b boundMaker) outageDatabase() Bound {
	boot, found := b.database(), b.reconnected()
	return Bound{
		Name:    BoundOutageDatabase,
		Limit:   boot.Limit + DatabasePause + found.Limit - b.allowance,
		Formula: fmt.Sprintf("end and start %s + pause %s + %s %s + allowance %s", boot.Limit-b.allowance, DatabasePause, found.Name, found.Limit-b.allowance, b.allowance),
		Source:  sourceJDBC,
		File:    b.file(),
	}
}
