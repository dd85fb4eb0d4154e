package topology

import "time"

// jettyTuned is what a good engineer would choose for nodes in one network.
func jettyTuned() jettyProfile {
	const haproxy = "haproxy.tuned.cfg.tmpl"
	p := jettyProfile{
		name:           profileTuned,
		image:          "jetty",
		haproxy:        haproxy,
		timeoutConnect: 100 * time.Millisecond,
		timeoutServer:  3 * time.Second,
		timeoutCheck:   400 * time.Millisecond,
		inter:          250 * time.Millisecond,
		fastInter:      100 * time.Millisecond,
		fall:           3,
		rise:           2,
		retries:        2,
		redispatch:     true,
		checkPath:      "/health/ready",
		advertInt:      200 * time.Millisecond,
		priorities:     [2]int{200, 190},
		trackInterval:  250 * time.Millisecond,
		trackFall:      2,
		fence:          true,
		readyLimit:     300 * time.Millisecond,
		boot:           5 * time.Second,
		allowance:      250 * time.Millisecond,
		threads:        100,
		poolWait:       250 * time.Millisecond,
		socketTimeout:  2 * time.Second,
		pools:          1,
		databaseOptions: "&connectTimeout=1&socketTimeout=2&tcpKeepAlive=true" +
			"&options=-c%20lock_timeout=1000%20-c%20idle_in_transaction_session_timeout=2000",
		env: map[string]string{
			"RESTART":                "never",
			"POOL_SIZE":              "10",
			"POOL_IDLE":              "10",
			"POOL_WAIT_MS":           "250",
			"READY_LIMIT_MS":         "300",
			"SESSION_EVICTION":       "0",
			"SESSION_SAVE_PERIOD_S":  "10",
			"SESSION_GRACE_PERIOD_S": "3600",
		},
	}
	file := jettyDir + haproxy
	p.values = []Value{
		{"haproxy: timeout connect", p.timeoutConnect.String(), "a LAN handshake takes under 1 ms; a vanished node costs a request this long before another node gets it", jettyProfilesFile},
		{"haproxy: inter", p.inter.String(), "four looks a second cost a node nothing", jettyProfilesFile},
		{"haproxy: fastinter", p.fastInter.String(), "once in doubt, look faster", jettyProfilesFile},
		{"haproxy: fall", "3", "one or two late checks happen while a JVM boots on the same cores", jettyProfilesFile},
		{"haproxy: rise", "2", "readiness already says when a node may be used", jettyProfilesFile},
		{"haproxy: timeout check", p.timeoutCheck.String(), "above the node's own limit of 300ms for its look at the database, so that the reason arrives", jettyProfilesFile},
		{"haproxy: timeout server", p.timeoutServer.String(), "above the slowest good answer, below the client's patience of 10s", jettyProfilesFile},
		{"haproxy: retries", "2", "with redispatch at every retry: each goes to another node", jettyProfilesFile},
		{"haproxy: option redispatch", "1", "a sticky request leaves a node that it cannot connect to at the first retry", file},
		{"haproxy: retry-on", "conn-failure empty-response", "what never reached a node may go to another; empty-response only for reads", file},
		{"haproxy: disable-l7-retry", "unless GET or HEAD", "a write that was sent is never sent again by the balancer: that made 207 rows of 200 orders", file},
		{"haproxy: observe layer4", "not used", "a burst of errors would mark a node down that is well, and detection would no longer follow from inter and fall", file},
		{"haproxy: on-marked-down shutdown-sessions", "not used", "it also cuts requests that were about to be redispatched", file},
		{"haproxy: option http-server-close", "on", "a request on a kept connection to a vanished node waits for timeout server; a new connection fails after timeout connect", file},
		{"haproxy: cookie", "JSESSIONID prefix nocache", "sessions stay with a node while it is up: fewer reads of the store, and no two nodes write one session", file},
		{"haproxy: option httpchk", "GET /health/ready", "traffic follows readiness, not liveness", file},
		{"haproxy: nbthread", "1", "two balancers, two cores; and a request's number has no gap", file},
		{"haproxy: weight", "100", "room to move a node's share both ways; the default of 1 cannot be halved", jettySwitchesFile},
		{"haproxy: balance", "random(1)", "a node that comes back is used at once; by turns it may wait for hundreds of new sessions, since a round of weights 100 has 1600 turns a node. One draw, not the lighter of two: shares are by weight, whatever a node is busy with", file},
		{"keepalived: advert_int", p.advertInt.String(), "three missed advertisements move the VIP", jettyProfilesFile},
		{"keepalived: priority", "200 and 190", "the higher the priority, the shorter the skew before taking over", jettyProfilesFile},
		{"keepalived: nopreempt", "on", "a balancer that comes back does not take the VIP again: one move, not two", jettyDir + "keepalived.conf.tmpl"},
		{"keepalived: track interval × fall", "250ms × 2", "HAProxy itself is watched, by a request to the users' port", jettyProfilesFile},
		{"keepalived: a frozen HAProxy", "is ended before the VIP leaves", "its clients are reset and ask again; else each of them waits for its own patience, since the kernel has taken the request and nobody is left to refuse it", "fixtures/images/haproxy/alive"},
		{"haproxy: bind", "the VIP, transparent", "what was under way when the VIP moved away is still answered", file},
		{"haproxy: option idle-close-on-response", "on", "a reload closes no idle connection under the request that is just being sent on it", file},
		{"haproxy: server-state-file", "written before a reload", "a new worker takes every server for up until it has looked, and knows of no drain and no maintenance", file},
		{"jetty: evictionPolicy", "0", "with the default of -1 each node keeps its own copy and serves it, stale, after a fail-back", jettyTunedFile},
		{"jetty: session store", "with a fence", "Jetty's own updates a row by its id alone, so that a node that was frozen saves over what others have saved since", "fixtures/images/jetty/src/hachaos/node/FencedStore.java"},
		{"jetty: savePeriod", "10s", "attributes are saved before every answer; only the time of access may wait", jettyTunedFile},
		{"jetty: flushOnResponseCommit", "true", "a session is saved before its answer, and the application answers 503 if it could not be", "fixtures/images/jetty/src/hachaos/node/JettySessions.java"},
		{"jetty: workerName", "the node's name", "equal to the balancer's cookie, so that a session that moved stays where it moved to", "fixtures/images/jetty/src/hachaos/node/JettySessions.java"},
		{"jetty: threads", "100", "more than a node needs that turns away what its database is too slow for: see threads: needed", jettyTunedFile},
		{"jdbc: socketTimeout", "2s", "no statement takes so long; the driver's finest step is 1s", jettyTunedFile},
		{"jdbc: lock_timeout", "1s", "a key that a vanished node still holds is not waited for", jettyTunedFile},
		{"jdbc: idle_in_transaction_session_timeout", "2s", "a vanished node's transaction ends, and its key is free", jettyTunedFile},
		{"postgres: fsync, synchronous_commit, full_page_writes", "on", "an acknowledged order is on disk", postgresDir + "postgresql.conf"},
		{"java", "-Xmx128m, serial GC, C1, AppCDS", "ready in half a second and a third of the memory", "fixtures/images/jetty/Dockerfile"},
	}
	return p
}

const jettyTunedFile = "topology/jettyha_tuned.go"
