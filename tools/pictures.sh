#!/bin/sh
# Draws the pictures that the documents show: of the report of the recorded run
# that 'hachaos example' unpacks, of the review of a drill, and of a list of runs.
#
#   tools/pictures.sh HACHAOS                  writes docs/report*.png: its top, an operation, in the dark, and narrow
#   tools/pictures.sh HACHAOS review FOLDER    writes docs/review.png, of the drill in that folder
#   tools/pictures.sh HACHAOS runs FOLDER      writes docs/runs.png, of the runs in that folder
set -eu
hachaos=$1
docs=$(cd "$(dirname "$0")/../docs" && pwd)
dir=$(mktemp -d)
served=
trap '[ -z "$served" ] || kill "$served"; rm -rf "$dir"' EXIT

fail() { echo "pictures: $*" >&2; exit 1; }

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) \
	|| fail "no browser: 'make browser' installs Debian's chromium"
sandbox= # its own does not work as root
[ "$(id -u)" != 0 ] || sandbox=--no-sandbox

# shoot ADDRESS FILE SIZE FRAGMENT [FLAG] draws one view of a page.
shoot() {
	"$browser" --headless=new $sandbox --disable-gpu --user-data-dir="$dir/profile" --hide-scrollbars ${5:-} \
		--window-size="$3" --virtual-time-budget=5000 --screenshot="$dir/$2" "$1$4" >"$dir/log" 2>&1 \
		|| { cat "$dir/log" >&2; fail "$2 could not be drawn"; }
	[ -s "$dir/$2" ] || fail "$2 was not drawn: $(cat "$dir/log")"
	mv "$dir/$2" "$docs/$2"
	echo "docs/$2"
}

case "${2:-}" in
review)
	shoot "file://$(cd "$3" && pwd)/review.html" review.png 1280,1700 ''
	exit
	;;
runs)
	"$hachaos" serve --port 0 "$3" >"$dir/address" 2>&1 &
	served=$!
	tries=0
	until address=$(grep -o 'http://[0-9.:]*[0-9]' "$dir/address"); do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || fail "'hachaos serve $3' does not serve: $(cat "$dir/address")"
		sleep 0.1
	done
	shoot "$address/" runs.png 1280,1000 ''
	exit
	;;
esac

"$hachaos" example --out "$dir/run" >/dev/null
op=$(grep -o '"op": [0-9][0-9]*' "$dir/run/result.json" | head -n 1 | cut -d ' ' -f 2)
[ -n "$op" ] || fail "the evidence of the recorded run names no operation"

# The assertions are folded, so that the timeline is seen, too.
sed 's/<details class="\(assert [a-z]*\)" open>/<details class="\1">/' "$dir/run/report.html" >"$dir/folded.html"

shoot "file://$dir/folded.html" report.png 1280,2000 ''
shoot "file://$dir/folded.html" report-operation.png 1280,900 "#op=$op"
shoot "file://$dir/folded.html" report-dark.png 1280,1000 '' --blink-settings=preferredColorScheme=0
shoot "file://$dir/folded.html" report-narrow.png 500,1400 ''
