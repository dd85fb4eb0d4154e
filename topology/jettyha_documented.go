package topology

import "time"

// jettyDocumented is what the tutorial prints, or the nearest that works,
// with a note for each.
func jettyDocumented() jettyProfile {
	const haproxy = "haproxy.documented.cfg.tmpl"
	p := jettyProfile{
		name:           profileDocumented,
		image:          "jetty-base",
		haproxy:        haproxy,
		timeoutConnect: 5 * time.Second,
		timeoutServer:  50 * time.Second,
		inter:          2 * time.Second, // HAProxy's default, as are the next five
		fastInter:      2 * time.Second,
		fall:           3,
		rise:           2,
		retries:        3,
		redispatch:     false,
		checkPath:      "/",
		advertInt:      time.Second,
		priorities:     [2]int{100, 100},
		trackInterval:  time.Second,
		trackFall:      2,
		readyLimit:     300 * time.Millisecond,
		restart:        10 * time.Second,
		boot:           5 * time.Second,
		allowance:      250 * time.Millisecond,
		threads:        200, // Jetty's default
		poolWait:       30 * time.Second,
		pools:          2,
		env: map[string]string{
			"RESTART":           "10",
			"JAVA_OPTS":         "-server -Xmx512m -Xms256m -XX:+UseG1GC",
			"POOL_SIZE":         "20",
			"POOL_IDLE":         "5",
			"POOL_WAIT_MS":      "30000",
			"POOL_IDLE_TIME_MS": "300000",
			"READY_LIMIT_MS":    "300",
		},
	}
	numbers, config := p.file(), jettyDir+haproxy
	p.values = []Value{
		{"haproxy: timeout connect", "5000ms", "as printed", numbers},
		{"haproxy: timeout client", "50000ms", "as printed", config},
		{"haproxy: timeout server", "50000ms", "as printed", numbers},
		{"haproxy: option httpchk", "GET / expecting 200", "as printed; the tutorial's application is at /session-test, so that / says 404 and every server is down: here it is at /", numbers},
		{"haproxy: inter, fall, rise", "2s, 3, 2", "not printed: HAProxy's defaults", numbers},
		{"haproxy: retries", "3", "not printed: HAProxy's default, without redispatch", numbers},
		{"haproxy: cookie", "JSESSIONID prefix nocache", "as printed", config},
		{"haproxy: chroot, daemon, user, group", "left out", "in a container HAProxy stays in the foreground and needs its socket's folder", config},
		{"haproxy: log, runtime socket", "added", "what hachaos observes; the tutorial's option httplog has no destination", config},
		{"haproxy: log-format, names in answers", "added", "what hachaos observes", jettyDir + "haproxy.common.tmpl"},
		{"keepalived", "added, with its defaults", "the tutorial has one balancer and no VIP", jettyDir + "keepalived.conf.tmpl"},
		{"keepalived: advert_int", p.advertInt.String(), "not printed: keepalived's default", numbers},
		{"keepalived: priority", "100 and 100", "not printed: keepalived's default", numbers},
		{"jetty: modules", "server, http, ee10-deploy, session-store-jdbc", "deploy is ee10-deploy in Jetty 12; jsp, jstl and websocket are not needed, jdbc-pool and postgresql do not exist", jettyBaseDir + "build"},
		{"jetty: savePeriod", "30s", "as printed, under its real key jetty.session.savePeriod.seconds", jettyBaseDir + "sessions.ini"},
		{"jetty: gracePeriod", "3600s", "as printed, under its real key jetty.session.gracePeriod.seconds", jettyBaseDir + "sessions.ini"},
		{"jetty: idleSavePeriod", "left out", "Jetty 12 has no such key", jettyBaseDir + "sessions.ini"},
		{"jetty: evictionPolicy", "-1", "not printed: Jetty's default; each node keeps its own copy of a session for ever", jettyBaseDir + "sessions.ini"},
		{"jetty: datasource", "HikariCP 20/5, idle 300s", "the tutorial's db.* keys belong to no module; the same sizes in etc/sessions/jdbc/datasource.xml", jettyBaseDir + "datasource.xml"},
		{"jetty: schema and table", "public.jettysessions", "as printed it is the database's name; Jetty's key is jetty.session.jdbc.schema.schemaName", jettyBaseDir + "sessions.ini"},
		{"jetty: workerName", "the node's name", "not printed; the default is node0 on every node, so that a session that moved would go back to its stale copy", jettyBaseDir + "build"},
		{"jetty: acceptors, selectors", "2, 4", "as printed", jettyBaseDir + "http.ini"},
		{"java", "-server -Xmx512m -Xms256m -XX:+UseG1GC", "as printed", numbers},
		{"restart", "10s", "RestartSec=10 of the printed unit file", numbers},
		{"postgres: rights", "jetty_user owns the database", "the printed GRANT gives no right to make a table since PostgreSQL 15", postgresDir + "init.sql"},
	}
	return p
}
