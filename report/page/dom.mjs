// make gives an element with attributes and children; text is never markup.
export function make(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const k in attributes || {}) if (attributes[k] != null && attributes[k] !== false) e.setAttribute(k, attributes[k] === true ? "" : attributes[k]);
  e.append(...children.filter((c) => c != null));
  return e;
}

const svgName = "http://www.w3.org/2000/svg";

// draw is make for SVG.
export function draw(tag, attributes, text) {
  const e = document.createElementNS(svgName, tag);
  for (const k in attributes) e.setAttribute(k, attributes[k]);
  if (text !== undefined) e.textContent = text;
  return e;
}

// byId finds an element of the page.
export const byId = (id) => document.getElementById(id);

// colour reads a colour of the style sheet.
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// narrow says that the page is as wide as a phone.
export const narrow = () => window.innerWidth < 720;

// gutter is the width of the labels beside charts and lanes: times line up.
export const gutter = () => (narrow() ? 66 : 150);
