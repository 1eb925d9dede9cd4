// What of the layers is in view: told to screen readers each time that the map rests.

import { parts } from "./draw.js";
import { lang, t } from "./texts.js";

/** Milliseconds without a change after which the map rests. */
const REST = 700;
const lists = new Intl.ListFormat(lang);

/** Tells whether a point lies inside of an area's rings. */
export function inside(x, y, rings) {
  let found = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
      const [a, b] = [ring[i], ring[j]];
      if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) found = !found;
    }
  }
  return found;
}

/** Returns a shape's box [left, top, right, bottom], in the unit of its rings. */
export function boxOf(rings) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of rings.flat()) {
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x);
    box[3] = Math.max(box[3], y);
  }
  return box;
}

const crosses = (ring, view) => ring.some((point, index) => index > 0 && L.LineUtil.clipSegment(ring[index - 1], point, view));

/**
 * Tells whether a shape and a view (L.Bounds, in the same unit) touch.
 *
 * @param shape - `{type: 1, x, y}` of a point, `{type: 2, rings, box}` of lines, `{type: 3, rings, box}` of an area
 */
export function touches({ type, x, y, rings, box }, view) {
  const { min, max } = view;
  if (type === 1) return x >= min.x && x <= max.x && y >= min.y && y <= max.y;
  if (box[0] > max.x || box[2] < min.x || box[1] > max.y || box[3] < min.y) return false;
  return rings.some((ring) => crosses(ring, view)) || (type === 3 && inside(min.x, min.y, rings));
}

/** Returns where in a view a shape is, for whoever goes to it: of lines and areas the corner nearest to the middle. */
export function placeIn({ type, x, y, rings, box }, view) {
  if (type === 1) return L.point(x, y);
  const middle = view.getCenter();
  const corners = rings.flat().filter((point) => view.contains([point.x, point.y])).map((point) => L.point(point.x, point.y));
  if (corners.length) return corners.reduce((best, one) => (one.distanceTo(middle) < best.distanceTo(middle) ? one : best));
  const [left, top] = [Math.max(box[0], view.min.x), Math.max(box[1], view.min.y)];
  const [right, bottom] = [Math.min(box[2], view.max.x), Math.min(box[3], view.max.y)];
  return L.point((left + right) / 2, (top + bottom) / 2);
}

/** Levels of arrays around the rings of a geometry's coordinates that are too few (-1) or too many (1). */
const LEVELS = { LineString: -1, MultiPolygon: 1 };

function shapeOf({ type, coordinates }) {
  if (type === "Point") return { type: 1, x: coordinates[0], y: coordinates[1] };
  const lines = LEVELS[type] === -1 ? [coordinates] : LEVELS[type] === 1 ? coordinates.flat() : coordinates;
  const rings = lines.map((line) => line.map(([x, y]) => ({ x, y })));
  return { type: type.endsWith("Polygon") ? 3 : 2, rings, box: boxOf(rings) };
}

const shapes = new WeakMap();

/** Returns a part of a GeoJSON feature that is in a view, L.Bounds of degrees, as a shape; undefined if none is. */
export function seenPart(feature, view) {
  if (!shapes.has(feature)) shapes.set(feature, [...parts(feature.geometry)].map(shapeOf));
  return shapes.get(feature).find((shape) => touches(shape, view));
}

/**
 * Tells how many features are in view, layer by layer, each time that the map rests after it has moved, or layers, their
 * filters or the time have changed. What is to be told before, such as the time, comes as the map's event "news".
 */
export function announce(map, layers, status) {
  let before = t("loaded");
  let [waiting, turn] = [0, 0];
  const shown = () => layers.filter((layer) => map.hasLayer(layer)).reverse();
  const look = async () => {
    // Whoever is loading tells when it is done; what a layer holds that failed nobody knows.
    if (shown().some(({ state }) => state === "loading")) return;
    const known = shown().filter(({ state }) => state !== "failed");
    turn += 1;
    const mine = turn;
    const seen = await Promise.all(known.map(async (layer) => ({ label: layer.description.title, count: await layer.seen() })));
    if (mine !== turn) return;
    const held = seen.filter(({ count }) => count);
    const total = known.length || !shown().length ? t("in-view", { count: held.reduce((sum, { count }) => sum + count, 0) }) : "";
    const each = held.length ? `${lists.format(held.map((one) => t("cluster-part", one)))}.` : "";
    status.textContent = [before, total, each].filter(Boolean).join(" ");
    before = "";
  };
  const later = () => {
    turn += 1;
    clearTimeout(waiting);
    waiting = setTimeout(look, REST);
  };
  for (const layer of layers) layer.on("state", later);
  map.on("moveend", later);
  map.on("layeradd layerremove", ({ layer }) => layers.includes(layer) && later());
  map.on("news", ({ text }) => {
    before = text;
    later();
  });
  later();
}
