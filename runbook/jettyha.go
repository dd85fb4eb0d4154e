package runbook

import (
	"slices"
	"strings"
)

// What packages of the images in fixtures/images bring, of what a person would
// use: the base is a minimal Debian.
const (
	inBase = `arch awk base64 basename bash cat chgrp chmod chown cksum clear cmp comm cp cut dash date dd df diff dir dirname
	dmesg du echo egrep env expand expr false fgrep find findmnt flock fmt fold getent getopt grep groups gunzip gzip head
	hostid hostname iconv id install ionice join ldd link ln ls lsblk lscpu mawk md5sum mkdir mkfifo mktemp more mount mv nice
	nl nohup nproc nsenter numfmt od paste perl pr printenv printf prlimit pwd readlink realpath rev rm rmdir sed seq setpriv
	setsid sh sha1sum sha256sum sha512sum shred shuf sleep sort split stat stdbuf stty sync tac tail tar taskset tee test
	timeout touch tput tr true truncate tty umount uname uniq unlink unshare users wc which who whoami xargs yes zcat`
	inInit     = `app-start free pgrep pidwait pkill pmap ps pwdx supervise sysctl tini top uptime vmstat w watch`
	inRoute    = `bridge ip nstat ss tc`
	inBalancer = `alive balancer haproxy keepalived`
	inJava     = `java java-run keytool`
	inPostgres = `pg_basebackup pg_checksums pg_controldata pg_ctl pg_dump pg_isready pg_waldump postgres psql reindexdb vacuumdb`
	inNet      = `arping conntrack curl nc nft`
)

// JettyHA are the places of the built-in topology. The operator's has what the
// image net has, which stands beside the nodes. The caller owns the result.
func JettyHA() map[string]Place {
	return map[string]Place{
		Operator:      {Commands: words(inBase, inInit, inRoute, inNet)},
		"application": {Commands: words(inBase, inInit, inJava), Variables: []string{"NODE", "VERSION", "DB_URL", "DB_USER"}},
		"balancer":    {Commands: words(inBase, inInit, inRoute, inBalancer)},
		"database":    {Commands: words(inBase, inInit, inPostgres), Variables: []string{"PGDATA"}},
		"proxy":       {Commands: words(inBase)},
	}
}

// JettyHAInputs are the variables that whoever has the built-in topology can
// bring.
func JettyHAInputs() []string { return []string{"VIP"} }

func words(lists ...string) []string {
	var out []string
	for _, l := range lists {
		out = append(out, strings.Fields(l)...)
	}
	slices.Sort(out)
	return out
}
