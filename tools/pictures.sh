#!/bin/sh
# Draws the pictures of the report that the documents show: of the recorded run
# that 'hachaos example' unpacks, whose report the present program renders.
#
#   tools/pictures.sh HACHAOS      writes docs/report.png and docs/report-operation.png
set -eu
hachaos=$1
docs=$(cd "$(dirname "$0")/../docs" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() { echo "pictures: $*" >&2; exit 1; }

"$hachaos" example --out "$dir/run" >/dev/null
op=$(grep -o '"op": [0-9][0-9]*' "$dir/run/result.json" | head -n 1 | cut -d ' ' -f 2)
[ -n "$op" ] || fail "the evidence of the recorded run names no operation"

# The assertions are folded, so that the timeline is seen, too.
sed 's/<details class="\(assert [a-z]*\)" open>/<details class="\1">/' "$dir/run/report.html" >"$dir/folded.html"

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) \
	|| fail "no browser: 'make browser' installs Debian's chromium"
sandbox= # its own does not work as root
[ "$(id -u)" != 0 ] || sandbox=--no-sandbox

# shoot FILE SIZE FRAGMENT draws one view of the page.
shoot() {
	"$browser" --headless=new $sandbox --disable-gpu --user-data-dir="$dir/profile" --hide-scrollbars \
		--window-size="$2" --virtual-time-budget=5000 --screenshot="$dir/$1" "file://$dir/folded.html$3" >"$dir/log" 2>&1 \
		|| { cat "$dir/log" >&2; fail "$1 could not be drawn"; }
	[ -s "$dir/$1" ] || fail "$1 was not drawn: $(cat "$dir/log")"
	mv "$dir/$1" "$docs/$1"
	echo "docs/$1"
}
shoot report.png 1280,2000 ''
shoot report-operation.png 1280,900 "#op=$op"
