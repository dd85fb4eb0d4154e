import { colour } from "./dom.mjs";

// depth is how dark a cell is, from 0 to 1: logarithmic, so that a single slow
// operation shows beside thousands of fast ones.
export const depth = (n, most) => (n <= 0 ? 0 : 0.22 + 0.78 * (Math.log1p(n) / Math.log1p(Math.max(most, 1))));

// topOf is the upper end of the scale, in milliseconds: an edge above all
// cells, and above the threshold.
export function topOf(heat, threshold) {
  const last = heat.cells.reduce((m, c) => Math.max(m, c[1]), 0);
  const edge = heat.edges[Math.min(last + 1, heat.edges.length - 1)];
  return Math.max(edge, threshold * 2);
}

// paintHeat is a hook of a chart that draws the cells, and the threshold.
export function paintHeat(heat, threshold) {
  const most = heat.cells.reduce((m, c) => Math.max(m, c[2]), 0);
  return (u) => {
    const { ctx, bbox } = u;
    const top = topOf(heat, threshold);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = colour("--heat");
    for (const [column, bin, n] of heat.cells) {
      const x = u.valToPos(column * heat.step, "x", true);
      const right = u.valToPos((column + 1) * heat.step, "x", true);
      if (right < bbox.left || x > bbox.left + bbox.width) continue;
      const low = u.valToPos(heat.edges[bin], "y", true);
      const high = u.valToPos(heat.edges[bin + 1] || top, "y", true);
      ctx.globalAlpha = depth(n, most);
      ctx.fillRect(x, high, Math.max(1, right - x - 0.5), Math.max(1, low - high - 0.5));
    }
    ctx.globalAlpha = 1;
    const y = Math.round(u.valToPos(threshold, "y", true)) + 0.5;
    ctx.strokeStyle = ctx.fillStyle = colour("--soft");
    ctx.setLineDash([6, 4]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.font = 11 * devicePixelRatio + "px system-ui, sans-serif";
    ctx.textAlign = "right";
    ctx.textBaseline = "alphabetic";
    const [words, right] = ["above: bad", bbox.left + bbox.width - 4];
    ctx.fillStyle = colour("--card");
    ctx.fillRect(right - ctx.measureText(words).width - 3, y + 1, ctx.measureText(words).width + 7, 15 * devicePixelRatio);
    ctx.fillStyle = colour("--soft");
    ctx.fillText(words, right, y + 12 * devicePixelRatio);
    ctx.restore();
  };
}
