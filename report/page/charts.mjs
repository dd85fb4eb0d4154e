import { byId, colour, gutter, make } from "./dom.mjs";
import { dashes, filled, swatch, tints } from "./paint.mjs";
import { number, seconds } from "./text.mjs";

// stacked turns values into sums from the bottom: the last is the total.
export function stacked(values) {
  const sum = (values[0] || []).map(() => 0);
  return values.map((v) => v.map((n, i) => (sum[i] += n || 0)));
}

// within is the index of the bucket that holds a time; null outside all.
export function within(starts, step, t) {
  if (t == null || starts.length === 0) return null;
  const i = Math.floor((t - starts[0]) / step + 1e-9);
  return i >= 0 && i < starts.length ? i : null;
}

// placeIn is the first row whose last entry ends before this one begins, and
// notes in ends where this one ends.
export function placeIn(ends, from, to) {
  const free = ends.findIndex((end) => end <= from);
  const row = free < 0 ? ends.length : free;
  ends[row] = to;
  return row;
}

// shade draws the faults' time, behind lines or over areas, and their names.
function shade(bands, over) {
  return {
    [over ? "drawSeries" : "drawClear"]: [(u, i) => {
      if (over && i !== u.series.length - 1) return;
      const { ctx, bbox } = u;
      ctx.save();
      ctx.fillStyle = colour("--shade");
      for (const b of bands) {
        const from = Math.max(u.valToPos(b.from, "x", true), bbox.left);
        const to = Math.min(u.valToPos(b.to, "x", true), bbox.left + bbox.width);
        if (to > from && b.proven) ctx.fillRect(from, bbox.top, to - from, bbox.height);
      }
      ctx.restore();
    }],
    draw: [(u) => {
      const { ctx, bbox } = u;
      const scale = devicePixelRatio;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      ctx.strokeStyle = ctx.fillStyle = colour("--bad");
      ctx.font = 11 * scale + "px system-ui, sans-serif";
      ctx.textAlign = "left";
      ctx.textBaseline = "alphabetic";
      ctx.setLineDash([4 * scale, 3 * scale]);
      const ends = []; // of each row of names: one that would meet another goes below it
      bands.forEach((b, i) => {
        for (const t of [b.from, b.to]) {
          const x = Math.round(u.valToPos(t, "x", true)) + 0.5;
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
        }
        const from = u.valToPos(b.from, "x", true);
        const text = bands.length > 3 ? String(i + 1) : b.label;
        const width = ctx.measureText(text).width + 6 * scale;
        const row = placeIn(ends, from, from + width);
        const y = bbox.top + row * 16 * scale;
        ctx.fillStyle = colour("--card");
        ctx.globalAlpha = 0.85;
        ctx.fillRect(from + 1 * scale, y, width, 15 * scale);
        ctx.globalAlpha = 1;
        ctx.fillStyle = colour("--bad");
        ctx.fillText(text, from + 4 * scale, y + 12 * scale);
      });
      ctx.restore();
    }],
  };
}

// Charts are those of one page on one clock: the same range, one crosshair.
export class Charts {
  // changed is told a new range, and moved the time of the crosshair or null.
  constructor(bands, range, changed, moved) {
    Object.assign(this, { bands, range, changed, moved, all: [], busy: false, time: null });
  }

  // add draws a chart into the element of that id. Series are {label, values,
  // tint, area}; o has unit, height, y (the scale), ticks, hooks and stack.
  add(id, series, times, step, o) {
    const at = byId(id);
    const legend = make("p", { class: "legend", "aria-hidden": "true" });
    const swatches = series.map((s, i) => swatch(s.tint ?? i, s.kind ?? i, !o.stack));
    const shown = series.map((s, i) => {
      const value = make("b", {});
      legend.append(make("span", {}, swatches[i].canvas, " " + s.label + " ", value));
      return value;
    });
    const paint = () => swatches.forEach((s) => s.paint());
    paint();
    const drawn = o.stack ? stacked(series.map((s) => s.values)).reverse() : series.map((s) => s.values);
    const place = (i) => (o.stack ? series.length - 1 - i : i);
    const style = (s, i) => ({
      label: s.label, stroke: () => colour(tints[(s.tint ?? place(i)) % tints.length]), width: o.stack ? 1 : 1.6, points: { show: false }, spanGaps: false,
      dash: o.stack ? undefined : dashes[(s.kind ?? place(i)) % dashes.length],
      fill: o.stack ? (u) => filled(u.ctx, series[place(i)].tint ?? place(i), series[place(i)].kind ?? place(i)) : undefined,
      paths: o.stack ? uPlot.paths.stepped({ align: 1 }) : undefined,
    });
    const hooks = shade(this.bands, o.stack);
    for (const k in o.hooks || {}) hooks[k] = [...(hooks[k] || []), o.hooks[k]];
    const u = new uPlot({
      width: Math.max(at.clientWidth, 200), height: o.height || 150, legend: { show: false }, padding: [8, 12, 0, 0],
      cursor: { drag: { x: true, y: false, dist: 5, setScale: false }, points: { show: false }, y: false },
      hooks: {
        ...hooks,
        setCursor: [(c) => this.point(c.cursor.left >= 0 ? c.posToVal(c.cursor.left, "x") : null, c)],
        setSelect: [(c) => this.selected(c)],
      },
      scales: { x: { time: false, range: () => this.range }, y: o.y || { range: (c, lo, hi) => [0, Math.max(o.least || 1, hi * 1.08)] } },
      axes: [
        { stroke: () => colour("--soft"), grid: { stroke: () => colour("--grid"), width: 1 }, ticks: { show: false }, size: 28, gap: 3, values: (c, v) => v.map(seconds) },
        { stroke: () => colour("--soft"), grid: { stroke: () => colour("--grid"), width: 1 }, ticks: { show: false }, size: gutter, values: o.ticks },
      ],
      series: [{}, ...(o.stack ? series.slice().reverse() : series).map(style)],
    }, [times, ...drawn], at);
    at.after(legend);
    const show = (t) => {
      const i = within(times, step, t);
      shown.forEach((e, n) => { e.textContent = i == null || series[n].values[i] == null ? "" : number(series[n].values[i], 2) + o.unit; });
    };
    const entry = { u, at, legend, show, paint };
    this.all.push(entry);
    return entry;
  }

  // remove takes a chart away.
  remove(entry) {
    this.all = this.all.filter((e) => e !== entry);
    entry.u.destroy();
    entry.legend.remove();
  }

  // point moves the crosshair of all charts to a time; null hides it.
  point(t, from) {
    if (this.busy) return;
    this.busy = true;
    this.time = t;
    for (const e of this.all) {
      if (e.u !== from) e.u.setCursor({ left: t == null ? -10 : e.u.valToPos(t, "x"), top: 0 });
      e.show(t);
    }
    this.busy = false;
    this.moved(t);
  }

  // selected zooms to what was dragged over.
  selected(u) {
    const { left, width } = u.select;
    if (width === 0) return;
    const range = [u.posToVal(left, "x"), u.posToVal(left + width, "x")];
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (range[1] - range[0] >= 0.001) this.zoom(range); // the address has milliseconds
  }

  // zoom shows a range in all charts.
  zoom(range) {
    this.range = range;
    for (const e of this.all) e.u.setScale("x", { min: range[0], max: range[1] });
    this.changed(range);
  }

  // resize fits all charts to the page.
  resize() {
    for (const e of this.all) e.u.setSize({ width: Math.max(e.at.clientWidth, 200), height: e.u.height });
  }

  // redraw takes the present colours.
  redraw() {
    for (const e of this.all) {
      e.u.redraw(false, true);
      e.paint();
    }
  }
}
