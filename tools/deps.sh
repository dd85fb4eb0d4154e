#!/bin/sh
# Makes sure that a container engine answers and that a base image can be made;
# `deps.sh cc` makes sure of a C compiler instead, which Go's race detector needs,
# and `deps.sh browser` of chromium and node, which open the report's page
# (`deps.sh page`: if they can be had).
# On Debian as root it installs what is missing, and says so first; anywhere
# else it says what to install. It changes nothing where nothing is missing.
set -eu

say() { printf 'deps: %s\n' "$*"; }

is_debian() { [ -r /etc/debian_version ] && command -v apt-get >/dev/null 2>&1; }

engine_answers() { docker info >/dev/null 2>&1; }

wait_for_engine() {
	n=0
	until engine_answers; do
		n=$((n + 1))
		[ "$n" -lt 60 ] || return 1
		sleep 0.5
	done
}

install() {
	say "installing Debian's $*"
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

start_engine() {
	say "starting the engine"
	if [ -d /run/systemd/system ]; then
		systemctl start docker
	elif [ -x /etc/init.d/docker ] && /etc/init.d/docker start >/dev/null; then
		:
	else
		setsid dockerd >/var/log/dockerd.log 2>&1 </dev/null &
	fi
}

install_engine() {
	command -v dockerd >/dev/null 2>&1 || install docker.io iptables ca-certificates
	# Since Debian 13 the command is a package of its own.
	command -v docker >/dev/null 2>&1 || install docker-cli
}

need_compiler() {
	if command -v "${CC:-gcc}" >/dev/null 2>&1; then
		return
	fi
	if ! is_debian || [ "$(id -u)" -ne 0 ]; then
		say "no C compiler (${CC:-gcc}) is here, and Go's race detector needs one: install gcc and the C library's headers (Debian: apt-get install gcc libc6-dev)"
		exit 1
	fi
	install gcc libc6-dev
}

# need_registry unpacks Debian's docker-registry for the test of images that
# come from one. It is not installed: its package would start a service.
need_registry() {
	dir=.cache/registry
	if command -v docker-registry >/dev/null 2>&1 || [ -x "$dir/usr/bin/docker-registry" ]; then
		return
	fi
	if ! is_debian; then
		say "docker-registry is not here: the test of images from a registry is skipped"
		return
	fi
	say "unpacking Debian's docker-registry into $dir"
	mkdir -p "$dir"
	if [ "$(id -u)" -eq 0 ]; then
		apt-get update -qq
	fi
	(cd "$dir" && apt-get download -qq docker-registry 2>/dev/null && dpkg -x docker-registry_*.deb .)
}

# need_browser makes sure of a browser, and of node, for the tests of the report.
# Where they cannot be installed it fails or, given "if it can be had", says so.
need_browser() {
	missing=
	command -v chromium >/dev/null 2>&1 || missing="chromium"
	command -v node >/dev/null 2>&1 || missing="$missing nodejs"
	[ -n "$missing" ] || return 0
	if ! is_debian || [ "$(id -u)" -ne 0 ]; then
		if [ -n "${1:-}" ]; then
			say "not here: $missing; the tests that open the report's page are skipped"
			return 0
		fi
		say "not here, and the page's tests need it: $missing"
		exit 1
	fi
	# shellcheck disable=SC2086 # a list of packages
	install $missing
}

case "${1:-}" in
browser)
	need_browser
	exit
	;;
page)
	need_browser "if it can be had"
	exit
	;;
cc)
	need_compiler
	exit
	;;
registry)
	need_registry
	exit
	;;
esac

if ! engine_answers; then
	if [ -n "${DOCKER_HOST:-}" ]; then
		say "DOCKER_HOST is $DOCKER_HOST, and no engine answers there: start it, or unset DOCKER_HOST"
		exit 1
	fi
	if ! is_debian || [ "$(id -u)" -ne 0 ]; then
		say "no Docker Engine answers: install Docker Engine 20.10 or later (Debian: apt-get install docker.io) and add yourself to the group docker, or run this as root on Debian"
		exit 1
	fi
	install_engine
	engine_answers || start_engine # its package starts it where it may
	if ! wait_for_engine; then
		say "the engine was started and does not answer after 30 s: see /var/log/dockerd.log, /var/log/docker.log or 'journalctl -u docker'"
		exit 1
	fi
fi

if ! command -v mmdebstrap >/dev/null 2>&1 && ! command -v debootstrap >/dev/null 2>&1; then
	if is_debian && [ "$(id -u)" -eq 0 ]; then
		install mmdebstrap
	else
		say "neither mmdebstrap nor debootstrap is here: images can be built only where a registry gives debian:trixie-slim"
	fi
fi
