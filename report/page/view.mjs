// The view is what of the page is open and shown. The address holds it, so
// that a link shows the same again. Parts: at (a section), t (a time, "12-16.5"
// in seconds), op, session, write (what is open), by (the errors' origin), and
// of each table its search, state, order and page, such as "sessions.q".

// parse reads a fragment, with or without "#". One that is only a name is a
// section.
export function parse(fragment) {
  const text = fragment.replace(/^#/, "");
  if (text === "") return {};
  if (!text.includes("=")) return { at: text };
  const view = {};
  for (const [key, value] of new URLSearchParams(text)) if (value !== "") view[key] = value;
  return view;
}

// format writes it, without "#"; what is empty is left out.
export function format(view) {
  const keys = Object.keys(view).filter((k) => view[k] !== undefined && view[k] !== "").sort();
  if (keys.length === 1 && keys[0] === "at") return view.at;
  return new URLSearchParams(keys.map((k) => [k, String(view[k])])).toString();
}

const opened = ["op", "session", "write"];

// follow is the view after a link: what it opens replaces what was open, a
// section closes it, and the rest stays.
export function follow(view, link) {
  const opens = link.at !== undefined || opened.some((k) => link[k] !== undefined);
  return { ...(opens ? close(view) : view), ...link };
}

// close is the view with nothing open.
export function close(view) {
  const next = { ...view };
  for (const k of opened) delete next[k];
  return next;
}

// openOf is what the view has open: [kind, name], or null.
export function openOf(view) {
  const kind = opened.find((k) => view[k] !== undefined);
  return kind ? [kind, view[kind]] : null;
}

// rangeOf reads the time of a view within all; what is no time is all of it.
export function rangeOf(view, all) {
  const m = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(view.t || "");
  if (!m) return all.slice();
  const from = Math.max(all[0], +m[1]);
  const to = Math.min(all[1], +m[2]);
  return to > from ? [from, to] : all.slice();
}

// timeOf writes a range; all of it is nothing.
export function timeOf(range, all) {
  if (range[0] <= all[0] && range[1] >= all[1]) return undefined;
  return +range[0].toFixed(3) + "-" + +range[1].toFixed(3);
}

// zoomed is the range by a factor narrower (below 1) or wider around a time.
export function zoomed(range, all, factor, around) {
  const middle = around == null ? (range[0] + range[1]) / 2 : around;
  const width = Math.min(all[1] - all[0], Math.max((range[1] - range[0]) * factor, (all[1] - all[0]) / 1000));
  const share = (middle - range[0]) / (range[1] - range[0] || 1);
  const from = Math.min(Math.max(all[0], middle - width * share), all[1] - width);
  return [from, from + width];
}
