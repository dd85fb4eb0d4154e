#!/bin/sh
# Makes the pictures of docs/ from a recorded run: pictures.sh DIR. It needs
# chromium (Debian: apt-get install chromium) and bin/hachaos (make build), or another in HACHAOS.
set -eu
[ $# -eq 1 ] || { echo "usage: tools/pictures.sh DIR, a run's folder" >&2; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cp -r "$1" "$tmp/run"
"${HACHAOS:-bin/hachaos}" report "$tmp/run" >/dev/null

# shoot FILE ADDRESS WIDTH HEIGHT: what a reader sees at the page's top.
shoot() {
	chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$tmp/chromium" \
		--window-size="$3,$4" --virtual-time-budget=5000 --screenshot="$1" "file://$2" >/dev/null 2>&1
}
first=$(grep -o 'href="#op=[0-9]*' "$tmp/run/report.html" | head -1 | cut -d'#' -f2)
sed 's/<details class="\(assert [a-z]*\)" open>/<details class="\1">/' "$tmp/run/report.html" >"$tmp/folded.html"
shoot docs/report.png "$tmp/folded.html" 1280 2050
[ -z "$first" ] || shoot docs/report-operation.png "$tmp/folded.html#$first" 1280 860
