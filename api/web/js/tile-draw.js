// Draws features of vector tiles on a canvas, as draw.js draws GeoJSON: the same colours, symbols and widths.

import { colourOf } from "./draw.js";
import { glyphPath } from "./icons.js";
import { boxOf, inside } from "./seen.js";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
/** Features drawn before the browser is asked whether the frame's time is over. */
const STEP = 150;

export const onScheme = (call) => dark.addEventListener("change", call);

/** Returns a colour mixed with so much white, as the style sheet mixes it in the dark scheme. */
function lighter(colour, share) {
  const parts = [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));
  return `rgb(${parts.map((part) => Math.round(part + (255 - part) * share)).join(" ")})`;
}

const isLight = (colour) => {
  const [red, green, blue] = [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue > 170;
};

function paper() {
  const style = window.getComputedStyle(document.documentElement);
  return Object.fromEntries(["paper", "casing", "land", "land-edge"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** What stands at a zoom level: sizes in pixels of the screen. */
function sizes(zoom) {
  const near = zoom < 11.4 ? 0 : zoom < 12.9 ? 1 : 2;
  const ring = zoom < 11.4 ? [1.3, 1.2] : zoom < 12.4 ? [2.4, 1.6] : zoom < 14 ? [4, 2] : [6, 2.5];
  return { badge: [13, 20, 26][near], width: [0.6, 0.85, 1][near], ring };
}

function shape(context, kind, half) {
  context.beginPath();
  if (kind === "square") context.roundRect(-half, -half, half * 2, half * 2, half * 0.46);
  else if (kind === "diamond") {
    context.save();
    context.rotate(Math.PI / 4);
    context.roundRect(-half * 0.85, -half * 0.85, half * 1.7, half * 1.7, half * 0.4);
    context.restore();
  } else context.arc(0, 0, half, 0, Math.PI * 2);
}

/** Draws a mark once, to be copied for every feature that looks so. */
function sprite(style, colour, symbol, demo, zoom, density) {
  const { badge, ring } = sizes(zoom);
  const asRing = style.symbol === "dot" && !style.by;
  const half = asRing ? ring[0] : badge / 2;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.ceil((half * 2 + 6) * density);
  const context = canvas.getContext("2d");
  context.translate(canvas.width / 2, canvas.width / 2);
  context.scale(density, density);
  const colours = paper();
  if (asRing) {
    context.arc(0, 0, half, 0, Math.PI * 2);
    context.fillStyle = colours.paper;
    context.fill();
    [context.lineWidth, context.strokeStyle] = [ring[1], dark.matches ? lighter(colour, 0.5) : colour];
    context.stroke();
    return canvas;
  }
  const border = badge > 13 ? 2 : 1;
  shape(context, style.symbol, demo ? half : half - border / 2);
  context.fillStyle = dark.matches ? lighter(colour, 0.14) : colour;
  context.fill();
  if (demo) {
    // An example is dashed wherever it is shown, inside of its edge.
    shape(context, style.symbol, half - border);
    context.setLineDash([2.6, 2]);
  }
  [context.lineWidth, context.strokeStyle] = [demo ? border * 0.75 : border, demo ? "#fff" : colours.casing];
  context.stroke();
  if (badge > 13 && symbol) drawGlyph(context, symbol, badge * 0.6, isLight(colour) ? "#1c2226" : "#fff");
  return canvas;
}

function drawGlyph(context, symbol, size, colour) {
  const path = glyphPath(symbol);
  context.fillStyle = colour;
  if (path) {
    context.scale(size / 16, size / 16);
    context.translate(-8, -8);
    context.fill(new window.Path2D(path), "evenodd");
    return;
  }
  [context.font, context.textAlign, context.textBaseline] = [`700 ${Math.round(size * 0.75)}px system-ui, sans-serif`, "center", "middle"];
  context.fillText(symbol, 0, 0);
}

/** The look of one layer at one zoom and density. */
export class Look {
  constructor(description, zoom, density) {
    Object.assign(this, { description, zoom, density, sizes: sizes(zoom), colours: paper(), sprites: new Map() });
  }

  mark(properties) {
    const { style } = this.description;
    const colour = colourOf(style, properties);
    const symbol = style.values[properties[style.by]]?.symbol ?? null;
    const key = `${colour}${symbol}${properties.demo === true}`;
    if (!this.sprites.has(key)) this.sprites.set(key, sprite(style, colour, symbol, properties.demo === true, this.zoom, this.density));
    return this.sprites.get(key);
  }
}

function trace(context, rings) {
  context.beginPath();
  for (const ring of rings) ring.forEach(({ x, y }, index) => (index ? context.lineTo(x, y) : context.moveTo(x, y)));
}

function stroke(context, width, colour, alpha = 1, dash = []) {
  context.setLineDash(dash);
  [context.lineWidth, context.strokeStyle, context.globalAlpha] = [width, colour, alpha];
  context.stroke();
  context.globalAlpha = 1;
}

function line(context, look, { rings, properties }, pixel) {
  const { style } = look.description;
  const own = colourOf(style, properties);
  const unit = pixel * look.sizes.width;
  const width = style.width * unit;
  trace(context, rings);
  [context.lineCap, context.lineJoin] = ["round", "round"];
  if (style.by) {
    const colour = dark.matches ? lighter(own, 0.5) : own;
    stroke(context, width + 8 * unit, colour, 0.28);
    stroke(context, width, colour, 1, [width, width * 1.6]);
  } else {
    stroke(context, width + 4 * unit, look.colours.casing);
    stroke(context, width, own);
  }
}

function area(context, look, { rings, properties }, pixel) {
  const { style, theme } = look.description;
  const base = theme === "administration";
  const colour = colourOf(style, properties);
  trace(context, rings);
  context.closePath();
  [context.fillStyle, context.globalAlpha] = [base ? look.colours.land : colour, base ? 1 : 0.2];
  context.fill("evenodd");
  stroke(context, style.width * pixel, base ? look.colours["land-edge"] : colour);
}

/**
 * Draws the features of one layer in one tile, a few at a time: a generator, so that the map stays quick meanwhile.
 *
 * @param canvas - the tile's canvas, `size` pixels of the map wide and high, sharp for `scale` times as many
 */
export function* paint(canvas, items, look, size, scale) {
  const pixels = Math.round(size * scale * look.density);
  canvas.width = canvas.height = pixels;
  const context = canvas.getContext("2d");
  const flat = items.filter(({ type }) => type !== 1);
  const unit = scale * look.density;
  context.scale(unit, unit);
  for (const [index, item] of flat.entries()) {
    // Widths are pixels of the screen, whatever the tile is stretched to.
    if (item.type === 3) area(context, look, item, 1 / scale);
    else line(context, look, item, 1 / scale);
    if (index % STEP === STEP - 1) yield;
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
  let count = 0;
  for (const { type, x, y, properties } of items) {
    if (type !== 1) continue;
    const mark = look.mark(properties);
    context.drawImage(mark, Math.round(x * unit - mark.width / 2), Math.round(y * unit - mark.height / 2));
    count += 1;
    if (count % STEP === 0) yield;
  }
}

/**
 * Turns a layer of a decoded tile into what is drawn and found, coordinates in pixels of the tile: a generator.
 *
 * @param found - array to which `{type, id, properties, x, y}` or `{…, rings, box}` are added
 */
export function* read(layer, size, found) {
  const factor = size / layer.extent;
  for (let index = 0; index < layer.length; index += 1) {
    const feature = layer.feature(index);
    const geometry = feature.loadGeometry();
    const { properties, type } = feature;
    const id = String(properties.id ?? feature.id);
    if (type === 1) {
      for (const part of geometry) for (const point of part) found.push({ type, id, properties, x: point.x * factor, y: point.y * factor });
    } else {
      const rings = geometry.map((ring) => ring.map((point) => ({ x: point.x * factor, y: point.y * factor })));
      found.push({ type, id, properties, rings, box: boxOf(rings) });
    }
    if (index % STEP === STEP - 1) yield;
  }
}

function segmentDistance(x, y, a, b) {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const along = dx || dy ? Math.max(0, Math.min(1, ((x - a.x) * dx + (y - a.y) * dy) / (dx * dx + dy * dy))) : 0;
  return Math.hypot(x - a.x - along * dx, y - a.y - along * dy);
}

/** Returns the feature at a place of a tile: the nearest mark or line within `reach` pixels, else the area around it. */
export function hit(items, x, y, reach) {
  let best = null;
  for (const item of items) {
    let away;
    if (item.type === 1) away = Math.hypot(item.x - x, item.y - y);
    else {
      const [left, top, right, bottom] = item.box;
      if (x < left - reach || x > right + reach || y < top - reach || y > bottom + reach) continue;
      if (item.type === 3) away = inside(x, y, item.rings) ? reach - 0.01 : Infinity;
      else away = Math.min(...item.rings.flatMap((ring) => ring.slice(1).map((to, index) => segmentDistance(x, y, ring[index], to))));
    }
    if (away <= reach && (!best || away <= best.away)) best = { item, away };
  }
  return best?.item ?? null;
}
