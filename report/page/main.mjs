import { Charts, within } from "./charts.mjs";
import { linkTo, showing } from "./dialog.mjs";
import { byId, make } from "./dom.mjs";
import { paintHeat, topOf } from "./heat.mjs";
import { drawLanes, stateAt } from "./lanes.mjs";
import { tintsOf } from "./paint.mjs";
import { read } from "./rows.mjs";
import { listing } from "./tables.mjs";
import { clock, millis, number, seconds, wallOf } from "./text.mjs";
import { close, follow, format, openOf, parse, rangeOf, timeOf, zoomed } from "./view.mjs";

// A script that fails must not look like a page that is whole.
window.addEventListener("error", (e) => {
  const note = byId("trouble");
  note.hidden = false;
  note.textContent = "A part of this page could not be drawn (" + e.message + "). The tables still hold.";
});

const data = JSON.parse(byId("data").textContent);
const known = read(data.details);
const all = data.range;
let view = parse(location.hash);

// go shows another view, and puts it into the address: as a new place of the
// history if something is opened, else in place of the present one.
function go(next, isNew) {
  view = next;
  const hash = "#" + format(view);
  if (isNew) history.pushState(null, "", hash);
  else history.replaceState(null, "", hash);
  show();
}

const change = (part) => go({ ...view, ...part }, false);

// The charts.
const series = data.series;
let moveCross = () => {};
let openOrigin = null;
const charts = new Charts(data.bands, rangeOf(view, all), (range) => {
  lanes();
  const t = timeOf(range, all);
  if (t !== view.t) change({ t });
}, (t) => {
  moveCross(t);
  byId("reading").textContent = t == null ? "" : readingAt(t);
});

// readingAt is what the crosshair shows, in words.
function readingAt(t) {
  const i = within(series.t, series.step, t);
  const parts = [];
  if (i != null) {
    const rates = [["ok", series.ok], ["slow", series.slow], ["failed", series.fail], ["unknown", series.info]];
    for (const [name, values] of rates) if (name === "ok" || values[i] > 0) parts.push(number(values[i], 1) + " " + name + "/s");
    if (series.p99[i] != null) parts.push("p99 " + millis(series.p99[i]));
  }
  for (const lane of data.lanes) {
    const state = lane.group === "alert" ? "" : stateAt(lane, t);
    if (state !== "" && !["ready", "alive", "routed", "answers", "UP"].includes(state)) parts.push(lane.name + ": " + state);
  }
  return "At " + seconds(t) + wallOf(data.zero, t) + ": " + parts.join(" · ");
}

function lanes() {
  moveCross = drawLanes(byId("c-lanes"), data.lanes, data.bands, charts.range, (t) => charts.point(t));
  moveCross(charts.time);
}

const logTicks = (u, v) => v.map((x) => (x != null && Math.abs(Math.log10(x) % 1) < 1e-9 ? millis(x) : null));

function drawCharts() {
  if (series.t.length === 0) {
    for (const id of ["c-rate", "c-latency", "c-heat", "c-errors", "c-work", "c-spent"]) byId(id).textContent = "No operation was made.";
    return;
  }
  charts.add("c-rate", [
    { label: "ok", values: series.ok, tint: 0, kind: 0 }, { label: "slow", values: series.slow, tint: 1, kind: 1 },
    { label: "failed", values: series.fail, tint: 2, kind: 2 }, { label: "unknown", values: series.info, tint: 3, kind: 3 },
  ], series.t, series.step, { unit: "/s", stack: true });
  charts.add("c-latency", [
    { label: "median", values: series.p50, tint: 0, kind: 0 }, { label: "p99", values: series.p99, tint: 1, kind: 1 }, { label: "max", values: series.max, tint: 2, kind: 2 },
  ], series.t, series.step, { unit: " ms", y: { distr: 3, log: 10 }, ticks: logTicks });
  charts.add("c-heat", [], [...series.t], series.step, {
    unit: "", y: { distr: 3, log: 10, range: () => [data.heat.edges[0], topOf(data.heat, data.threshold)] }, ticks: logTicks, hooks: { draw: paintHeat(data.heat, data.threshold) },
  });
  if (data.underWay.names.length) {
    charts.add("c-work", data.underWay.names.map((label, i) => ({ label, values: data.underWay.counts[i] })), series.t, series.step, { unit: "", height: 100 });
  } else byId("c-work").textContent = "No node said how many requests it works on.";
  charts.add("c-spent", [{ label: "of the 30-day budget", values: data.spent.percent, tint: 2, kind: 0 }], series.t, series.step, {
    unit: " %", height: 110, least: 1e-4, ticks: (u, v) => v.map((x) => number(x, 5) + " %"),
  });
}

// drawOrigin draws the errors by one of their origins.
function drawOrigin(by) {
  const origin = data.origins.find((o) => o.by === by) || data.origins[0];
  for (const b of byId("origins").querySelectorAll("button")) b.setAttribute("aria-pressed", String(b.value === origin.by));
  if (series.t.length === 0 || openOrigin === origin) return;
  openOrigin = origin;
  if (drawOrigin.chart) charts.remove(drawOrigin.chart);
  drawOrigin.chart = null;
  byId("c-errors").replaceChildren();
  if (origin.names.length === 0) {
    byId("c-errors").textContent = "None.";
    return;
  }
  const tint = tintsOf(origin.names);
  drawOrigin.chart = charts.add("c-errors", origin.names.map((label, i) => ({ label, values: origin.counts[i].map((n) => n / series.step), tint: tint[i], kind: tint[i] })),
    series.t, series.step, { unit: "/s", stack: true, height: 100 });
}

// The tables.
const badMark = (r) => (r.bad > 0 ? "✕ " : "") + r.bad;
const details = data.details;
const rest = (shown, total) => (shown < total ? ` of ${total}; the others are in journal.jsonl` : "");
const drawSessions = listing(byId("list-sessions"), "sessions", known.sessions, [
  { key: "id", head: "session", number: true, cell: (r) => linkTo("session", r.id) },
  { key: "user", head: "user", cell: (r) => r.user },
  { key: "from", head: "from", number: true, cell: (r) => clock(r.from) },
  { key: "to", head: "to", number: true, cell: (r) => clock(r.to) },
  { key: "ops", head: "operations", number: true, cell: (r) => String(r.ops) },
  { key: "bad", head: "bad", number: true, cell: badMark },
  { key: "nodes", head: "answered by", cell: (r) => r.nodes.join(" → ") || "–" },
  { key: "victim", head: "on a victim", cell: (r) => (r.victim ? "yes" : "no") },
  { key: "state", head: "judged", cell: (r) => r.state },
], {
  caption: "Sessions: those with evidence first, then those with bad operations", state: "Judged", word: "session", placeholder: "number, user, node",
  rest: rest(known.sessions.length, details.sessionsTotal), texts: (r) => [String(r.id), r.user, ...r.nodes, r.state, r.victim ? "victim" : "", r.bad ? "bad" : ""],
}, change);
const drawWrites = listing(byId("list-writes"), "writes", known.writes, [
  { key: "key", head: "key", cell: (r) => linkTo("write", r.key) },
  { key: "state", head: "became", cell: (r) => (["duplicate", "lost", "phantom", "conflict"].includes(r.state) ? "✕ " : "") + r.state },
  { key: "ops", head: "operations", cell: (r) => make("span", {}, ...r.ops.flatMap((id, i) => [i ? ", " : "", linkTo("op", id)])) },
  { key: "attempts", head: "attempts", number: true, cell: (r) => String(r.attempts) },
  { key: "rows", head: "rows in the ledger", cell: (r) => r.rows.map((w) => `order ${w.order} (${w.op}.${w.attempt}${w.node ? " on " + w.node : ""})`).join(", ") || "none" },
], {
  caption: "Writes by key: what broke the ledger first, then what was tried again", state: "Became", word: "write", placeholder: "key, operation, order, node",
  rest: rest(known.writes.length, details.writesTotal), texts: (r) => [r.key, r.state, ...r.ops.map(String), ...r.rows.map((w) => w.order + " " + w.node)],
}, change);

const showOpen = showing(known, { ops: details.opsTotal }, () => go(close(view), true));

// show brings the page to the view.
let drawnTables = "";
function show() {
  const range = rangeOf(view, all);
  if (range[0] !== charts.range[0] || range[1] !== charts.range[1]) charts.zoom(range);
  drawOrigin(view.by);
  const tables = JSON.stringify(Object.entries(view).filter(([k]) => k.includes(".")));
  if (tables !== drawnTables) {
    drawnTables = tables;
    drawSessions(view);
    drawWrites(view);
  }
  showOpen(openOf(view));
}

// reveal opens what hides an element, and brings it to sight; the focus goes
// with it, so that the next Tab goes on from there.
function reveal(id) {
  const e = id && byId(id);
  if (!e) return;
  for (let d = e.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
  e.scrollIntoView({ behavior: "instant" });
  if (e.tabIndex < 0) e.tabIndex = -1; // may be given the focus, is not met by Tab
  e.focus({ preventScroll: true });
}

document.addEventListener("click", (e) => {
  const a = e.target.closest && e.target.closest('a[href^="#"]');
  if (!a || e.ctrlKey || e.metaKey || e.shiftKey) return;
  e.preventDefault();
  const link = parse(a.getAttribute("href"));
  go(follow(view, link), true);
  reveal(link.at);
});
window.addEventListener("popstate", () => {
  view = parse(location.hash);
  show();
});
window.addEventListener("hashchange", () => {
  view = parse(location.hash);
  show();
  reveal(view.at);
});

// The crosshair and the zoom by keys and by buttons.
function step(n) {
  const range = charts.range;
  const t = charts.time == null ? (n > 0 ? range[0] : range[1]) : charts.time + n * series.step;
  charts.point(Math.min(Math.max(t, range[0]), range[1]));
}
const zoom = (factor) => charts.zoom(zoomed(charts.range, all, factor, charts.time));
const showAll = () => charts.zoom(all.slice());
byId("zoom-in").onclick = () => zoom(0.5);
byId("zoom-out").onclick = () => zoom(2);
byId("zoom-all").onclick = showAll;
byId("charts").addEventListener("dblclick", (e) => e.target.closest(".u-over") && showAll());
const toFault = byId("zoom-fault");
toFault.hidden = data.bands.length === 0;
toFault.onclick = () => {
  const from = Math.min(...data.bands.map((b) => b.from));
  const to = Math.max(...data.bands.map((b) => b.to));
  charts.zoom([Math.max(all[0], from - 1), Math.min(all[1], to + 1)]);
};
byId("charts").addEventListener("keydown", (e) => {
  if (e.target !== byId("charts")) return;
  const keys = {
    ArrowLeft: () => step(e.shiftKey ? -10 : -1), ArrowRight: () => step(e.shiftKey ? 10 : 1), Home: () => charts.point(charts.range[0]), End: () => charts.point(charts.range[1] - 1e-6),
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: showAll, Escape: () => charts.point(null),
  };
  if (!keys[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
  e.preventDefault();
  keys[e.key]();
});
for (const b of byId("origins").querySelectorAll("button")) b.onclick = () => change({ by: b.value === "client" ? "" : b.value });

drawCharts();
lanes();
show();
reveal(view.at);
let wide = document.body.clientWidth;
window.addEventListener("resize", () => {
  if (document.body.clientWidth === wide) return;
  wide = document.body.clientWidth;
  charts.resize();
  lanes();
});
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.redraw());
// Paper is light, as narrow as it is, and shows why each assertion that did not
// pass did not.
const paperWidth = 750;
function paper(on) {
  document.documentElement.toggleAttribute("data-print", on);
  if (on) for (const d of document.querySelectorAll("details.assert.bad, details.assert.warn")) d.open = true;
  if (on) document.body.style.width = paperWidth + "px"; // of the pictures: text flows
  charts.resize();
  charts.redraw();
  lanes();
  document.body.style.width = "";
}
window.addEventListener("beforeprint", () => paper(true));
window.addEventListener("afterprint", () => paper(false));
document.documentElement.dataset.drawn = "yes";
