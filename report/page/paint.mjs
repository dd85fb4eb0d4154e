import { colour } from "./dom.mjs";

// What is drawn differs by pattern as well as by colour: hatching for areas,
// dashes for lines. The legend shows both.
export const dashes = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 4], [1, 4], [12, 4]];
export const tints = ["--s1", "--s2", "--s3", "--s4", "--s5", "--s6", "--idle"];

const cell = 8;

// pattern is a tile of a colour: 0 plain, then hatches and dots.
function tile(tint, kind) {
  const c = document.createElement("canvas");
  c.width = c.height = cell;
  const g = c.getContext("2d");
  g.fillStyle = tint;
  g.globalAlpha = kind === 0 ? 0.5 : 0.28;
  g.fillRect(0, 0, cell, cell);
  g.globalAlpha = 1;
  g.strokeStyle = tint;
  g.lineWidth = 1.4;
  const line = (...p) => {
    g.beginPath();
    g.moveTo(p[0], p[1]);
    g.lineTo(p[2], p[3]);
    g.stroke();
  };
  const corners = (up) => {
    for (const d of [-cell, 0, cell]) up ? line(d, cell, d + cell, 0) : line(d, 0, d + cell, cell);
  };
  if (kind === 1) corners(true);
  if (kind === 2) corners(false);
  if (kind === 3) g.fillRect(2, 2, 3, 3);
  if (kind === 4) line(0, 4, cell, 4);
  if (kind === 5) line(4, 0, 4, cell);
  if (kind === 6) { corners(true); corners(false); }
  return c;
}

const tiles = new Map();

// filled gives the fill of the i-th area in the present colours, opaque over
// the page's background.
export function filled(ctx, i, kind = i) {
  const tint = colour(tints[i % tints.length]);
  const key = tint + kind + colour("--card");
  if (!tiles.has(key)) {
    const c = document.createElement("canvas");
    c.width = c.height = cell;
    const g = c.getContext("2d");
    g.fillStyle = colour("--card");
    g.fillRect(0, 0, cell, cell);
    g.drawImage(tile(tint, kind % 7), 0, 0);
    tiles.set(key, c);
  }
  return ctx.createPattern(tiles.get(key), "repeat");
}

// swatch is the sign of an area or a line in a legend, and how to paint it, in
// the present colours.
export function swatch(i, kind, line) {
  const canvas = document.createElement("canvas");
  canvas.className = "swatch";
  canvas.setAttribute("aria-hidden", "true");
  return { canvas, paint: () => sign(canvas, i, kind, line) };
}

function sign(c, i, kind, line) {
  const scale = 2;
  c.width = 22 * scale; // and nothing is on it any more
  c.height = 12 * scale;
  const g = c.getContext("2d");
  g.scale(scale, scale);
  if (line) {
    g.strokeStyle = colour(tints[i % tints.length]);
    g.lineWidth = 2;
    g.setLineDash(dashes[kind % dashes.length]);
    g.beginPath();
    g.moveTo(0, 6);
    g.lineTo(22, 6);
    g.stroke();
  } else {
    g.fillStyle = filled(g, i, kind);
    g.fillRect(0, 0, 22, 12);
    g.strokeStyle = colour(tints[i % tints.length]);
    g.strokeRect(0.5, 0.5, 21, 11);
  }
}

// tintsOf gives each name a tint of its own, and the same in every report as
// long as no name before it has taken it. The last tint is that of "others".
export function tintsOf(names) {
  const most = tints.length - 1;
  const taken = new Set();
  return names.map((name) => {
    if (name === "others") return most;
    let at = 0;
    for (const c of name) at = (at * 31 + c.codePointAt(0)) % 65521;
    at %= most;
    for (let i = 0; i < most && taken.has(at); i++) at = (at + 1) % most;
    taken.add(at);
    return at;
  });
}
