"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const gutter = 150; // the lanes' labels; the charts' axes are as wide, so that times line up
  const narrow = () => window.innerWidth < 720;
  const axisWidth = () => (narrow() ? 64 : gutter);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const charts = [];
  let range = data.range.slice();
  let cursor = null;

  const seconds = (u, v) => v.map((s) => +s.toFixed(3) + " s");
  const unit = (suffix) => (u, v) => (v == null ? "–" : +v.toFixed(2) + suffix);

  // shade draws the faults' time behind the lines, and their names above them.
  const shade = {
    hooks: {
      drawClear: [(u) => {
        const { ctx, bbox } = u;
        ctx.save();
        for (const b of data.bands) {
          const from = Math.max(u.valToPos(b.from, "x", true), bbox.left);
          const to = Math.min(u.valToPos(b.to, "x", true), bbox.left + bbox.width);
          if (to <= from) continue;
          ctx.fillStyle = css("--shade");
          ctx.fillRect(from, bbox.top, to - from, bbox.height);
        }
        ctx.restore();
      }],
      draw: [(u) => {
        const { ctx, bbox } = u;
        ctx.save();
        ctx.fillStyle = css("--bad");
        ctx.textAlign = "left";
        ctx.textBaseline = "alphabetic";
        ctx.font = 11 * devicePixelRatio + "px system-ui, sans-serif";
        for (const b of data.bands) {
          const from = u.valToPos(b.from, "x", true);
          if (from >= bbox.left && from < bbox.left + bbox.width) ctx.fillText(b.label, from + 4 * devicePixelRatio, bbox.top + 13 * devicePixelRatio);
        }
        ctx.restore();
      }],
      setCursor: [(u) => { cursor = u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : null; drawCross(); }],
      setScale: [(u, key) => {
        if (key !== "x") return;
        const { min, max } = u.scales.x;
        if (min === range[0] && max === range[1]) return;
        range = [min, max];
        for (const c of charts) if (c !== u) c.setScale("x", { min, max });
        drawLanes();
      }],
    },
  };

  function chart(id, series, values, opts) {
    const at = document.getElementById(id);
    const line = (s) => ({
      label: s.label, stroke: () => css(s.colour), width: 1.6, dash: s.dash, points: { show: false },
      fill: s.fill ? () => css(s.colour) + "22" : undefined, value: opts.value, spanGaps: false,
    });
    const u = new uPlot({
      width: at.clientWidth, height: 190, plugins: [shade], cursor: { sync: { key: "run" }, drag: { x: true, y: false } },
      legend: { live: true }, padding: [8, 12, 0, 0],
      scales: { x: { time: false, range: () => range }, y: opts.scale },
      axes: [
        { stroke: () => css("--soft"), grid: { stroke: () => css("--grid"), width: 1 }, ticks: { show: false }, values: seconds },
        { stroke: () => css("--soft"), grid: { stroke: () => css("--grid"), width: 1 }, ticks: { show: false }, size: axisWidth(), values: opts.ticks },
      ],
      series: [{ label: "time", value: unit(" s") }, ...series.map(line)],
    }, [data.series.t, ...values], at);
    charts.push(u);
  }

  const s = data.series;
  if (s.t && s.t.length) {
    chart("c-rate", [
      { label: "ok", colour: "--s1", fill: true }, { label: "slow", colour: "--s2", dash: [6, 3] },
      { label: "failed", colour: "--s3", dash: [2, 2] }, { label: "unknown", colour: "--s4", dash: [8, 3, 2, 3] },
    ], [s.ok, s.slow, s.fail, s.info], { value: unit("/s"), scale: { range: (u, lo, hi) => [0, Math.max(1, hi * 1.08)] } });
    chart("c-latency", [
      { label: "median", colour: "--s1" }, { label: "p99", colour: "--s2", dash: [6, 3] }, { label: "max", colour: "--s3", dash: [2, 2] },
    ], [s.p50, s.p99, s.max], {
      value: unit(" ms"), scale: { distr: 3, log: 10 },
      ticks: (u, v) => v.map((x) => (x != null && Number.isInteger(Math.log10(x)) ? x + " ms" : null)),
    });
    const classes = Object.keys(s.errors).sort();
    const colours = ["--s3", "--s4", "--s2", "--s5", "--s1"];
    const dashes = [[], [6, 3], [2, 2], [8, 3, 2, 3]];
    if (classes.length) {
      chart("c-errors", classes.map((c, i) => ({ label: c, colour: colours[i % 5], dash: dashes[i % 4] })),
        classes.map((c) => s.errors[c]), { value: unit("/s"), scale: { range: (u, lo, hi) => [0, Math.max(1, hi * 1.08)] } });
    } else {
      document.getElementById("c-errors").textContent = "None.";
      document.getElementById("c-errors").style.minHeight = "0";
    }
  } else {
    for (const id of ["c-rate", "c-latency", "c-errors"]) document.getElementById(id).textContent = "No operation was made.";
  }

  // The lanes share the charts' time axis.
  const ns = "http://www.w3.org/2000/svg";
  const make = (name, attrs, text) => {
    const e = document.createElementNS(ns, name);
    for (const k in attrs) e.setAttribute(k, attrs[k]);
    if (text !== undefined) e.textContent = text;
    return e;
  };
  const lanesAt = document.getElementById("c-lanes");
  let cross = null;
  let toX = () => 0;

  function drawLanes() {
    const width = lanesAt.clientWidth;
    const left = axisWidth();
    const right = width - 12;
    const rowHeight = 26;
    const height = data.lanes.length * rowHeight + 4;
    toX = (t) => left + ((t - range[0]) / (range[1] - range[0] || 1)) * (right - left);
    const clip = (x) => Math.min(Math.max(x, left), right);
    const svg = make("svg", { height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
    for (const b of data.bands) {
      const from = clip(toX(b.from));
      const to = clip(toX(b.to));
      if (to > from) svg.append(make("rect", { class: "shade", x: from, y: 0, width: to - from, height }));
    }
    data.lanes.forEach((lane, i) => {
      const y = i * rowHeight + 4;
      const label = make("text", { class: "label", x: left - 8, y: y + 13, "text-anchor": "end" }, narrow() ? lane.name.split(" ").pop() : lane.name);
      svg.append(label);
      for (const span of lane.spans || []) {
        const from = clip(toX(span.from));
        const to = clip(toX(span.to));
        if (to - from < 0.5) continue;
        const g = make("g", {});
        g.append(make("title", {}, `${lane.name}: ${span.state}, ${span.from.toFixed(2)} s to ${span.to.toFixed(2)} s`));
        g.append(make("rect", { class: span.tone, x: from + 0.5, y, width: Math.max(1, to - from - 1), height: 19, rx: 3 }));
        if (to - from > span.state.length * 6.6 + 10) g.append(make("text", { x: from + 7, y: y + 13.5 }, span.state));
        svg.append(g);
      }
    });
    cross = make("line", { class: "cross", y1: 0, y2: height, x1: -9, x2: -9 });
    svg.append(cross);
    lanesAt.replaceChildren(svg);
    drawCross();
  }

  function drawCross() {
    if (!cross) return;
    const x = cursor == null ? -9 : toX(cursor);
    cross.setAttribute("x1", x);
    cross.setAttribute("x2", x);
  }

  function resize() {
    for (const c of charts) {
      c.axes[1].size = () => axisWidth();
      c.setSize({ width: c.root.parentElement.clientWidth, height: 190 });
    }
    drawLanes();
  }
  drawLanes();
  window.addEventListener("resize", resize);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((c) => c.redraw()));
})();
