import { draw, gutter, narrow } from "./dom.mjs";
import { number } from "./text.mjs";

const row = 25;

// stateAt is the state of a lane at a time; empty if it has none.
export function stateAt(lane, t) {
  const span = lane.spans.find((s) => s.from <= t && t < s.to);
  return span ? span.state : "";
}

// Signs stand before a state's words where the colour is not enough.
const signs = { good: "", warn: "△ ", bad: "✕ ", idle: "" };

// drawLanes draws the lanes over a range of time and returns how to move the
// crosshair; hover is told the time under the pointer, or null.
export function drawLanes(at, lanes, bands, range, hover) {
  const width = Math.max(at.clientWidth, 200);
  const left = gutter();
  const right = width - 12;
  const height = lanes.length * row + 4;
  const x = (t) => left + ((t - range[0]) / (range[1] - range[0] || 1)) * (right - left);
  const clip = (v) => Math.min(Math.max(v, left), right);
  const svg = draw("svg", { height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  for (const b of bands) {
    const from = clip(x(b.from));
    if (b.proven && clip(x(b.to)) > from) svg.append(draw("rect", { class: "shade", x: from, y: 0, width: clip(x(b.to)) - from, height }));
  }
  lanes.forEach((lane, i) => {
    const y = i * row + 3;
    if (i > 0 && lane.group !== lanes[i - 1].group) svg.append(draw("line", { class: "rule", x1: 0, x2: right, y1: y - 2, y2: y - 2 }));
    const name = draw("text", { class: "label", x: left - 8, y: y + 13, "text-anchor": "end" }, fit(lane.name, left - 10));
    name.append(draw("title", {}, lane.name));
    svg.append(name);
    for (const span of lane.spans) {
      const from = clip(x(span.from));
      const to = clip(x(span.to));
      if (to - from < 0.4) continue;
      const g = draw("g", {});
      g.append(draw("title", {}, `${lane.name}: ${span.state}, ${number(span.from)} s to ${number(span.to)} s`));
      g.append(draw("rect", { class: span.tone, x: from + 0.5, y, width: Math.max(1, to - from - 1), height: 19, rx: 3 }));
      const text = (signs[span.tone] || "") + span.state;
      const shown = told(text, (signs[span.tone] || "").trim(), to - from);
      if (shown) g.append(draw("text", { x: from + (shown.length > 1 ? 6 : 2), y: y + 13.5 }, shown));
      svg.append(g);
    }
  });
  const cross = draw("line", { class: "cross", y1: 0, y2: height, x1: -9, x2: -9 });
  svg.append(cross);
  const time = (e) => range[0] + ((e.clientX - svg.getBoundingClientRect().left - left) / (right - left)) * (range[1] - range[0]);
  svg.addEventListener("mousemove", (e) => hover(Math.min(Math.max(time(e), range[0]), range[1])));
  svg.addEventListener("mouseleave", () => hover(null));
  at.replaceChildren(svg);
  return (t) => {
    const v = t == null || t < range[0] || t > range[1] ? -9 : x(t);
    cross.setAttribute("x1", v);
    cross.setAttribute("x2", v);
  };
}

// told is as much of a state as a span of that width has room for: the words,
// their beginning if enough of it is left to be read, or the sign alone.
export function told(text, sign, width) {
  const shown = fit(text, width - 12);
  if (shown === text || shown.length > sign.length + 5) return shown;
  return width > 9 ? sign : "";
}

// fit cuts a text to a width; a character is taken for 6.4 pixels, or 5.6 on
// a phone.
function fit(text, width) {
  const most = Math.floor(width / (narrow() ? 5.8 : 6.3));
  return text.length <= most ? text : most < 3 ? "" : text.slice(0, most - 1) + "…";
}
