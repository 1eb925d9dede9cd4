// How features look. Paths get their colour as the custom property --c, so that the style sheet can adapt it to the scheme.

import { glyph } from "./icons.js";
import { comma, element, nameElement, nameOf, number, rtl, t } from "./texts.js";

const COLOUR = /^#[0-9a-f]{6}$/i;
/** From so many features on a layer is drawn on a canvas, which is faster, but needs stops for the keyboard. */
const CANVAS_FROM = 3000;

export function colourOf(style, properties) {
  const own = style.colourField ? properties[style.colourField] : null;
  if (typeof own === "string" && COLOUR.test(own)) return own;
  return style.values[properties[style.by]]?.colour ?? style.colour;
}

const symbolOf = (style, properties) => style.values[properties[style.by]]?.symbol ?? null;

/** Returns the label of the value that decides on the feature's look, such as its category or state. */
export const kindOf = (style, properties) => (style.by ? style.labels[properties[style.by]] ?? "" : "");

/** Tells whether a colour is light, so that what stands on it must be dark. */
function isLight(colour) {
  const [red, green, blue] = [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue > 170;
}

/** Makes the badge of a feature or of a legend entry: a shape in a colour, with a glyph. */
export function badge(style, colour, symbol, demo = false) {
  const made = element("span", { class: `badge-mark ${style.symbol}${demo ? " demo" : ""}${isLight(colour) ? " light" : ""}` });
  made.style.setProperty("--c", colour);
  made.append(glyph(symbol));
  return made;
}

/** Returns what a screen reader says of a feature. */
export function spoken(description, feature) {
  const said = [nameOf(feature.properties).text, kindOf(description.style, feature.properties), description.title];
  if (feature.properties.demo === true) said.push(t("demo"));
  return said.filter(Boolean).join(comma);
}

/** An icon that is an element of our own making, without any HTML text. */
const ElementIcon = L.Icon.extend({
  options: { iconSize: [30, 30] },
  createIcon() {
    const made = this.options.make();
    made.classList.add("map-icon");
    const [width, height] = this.options.iconSize;
    made.style.width = `${width}px`;
    made.style.height = `${height}px`;
    made.style.marginLeft = `${-width / 2}px`;
    made.style.marginTop = `${-height / 2}px`;
    return made;
  },
  createShadow: () => null,
});

export const elementIcon = (size, make) => new ElementIcon({ iconSize: [size, size], make });

function marker(description, feature, latlng, pane) {
  const { style } = description;
  const { properties } = feature;
  const make = () => {
    const label = spoken(description, feature);
    const holder = element("div", { class: style.cluster ? "marker" : "marker shrinks", "aria-label": label, role: "button" });
    holder.append(badge(style, colourOf(style, properties), symbolOf(style, properties), properties.demo === true));
    return holder;
  };
  const made = L.marker(latlng, { icon: elementIcon(style.cluster ? 28 : 24, make), pane, riseOnHover: true, keyboard: true });
  made.feature = feature;
  return made;
}

/** Radius and stroke of a ring, in pixels, at a zoom level. */
const ringSize = (zoom) => (zoom < 11.4 ? [1.3, 1.2] : zoom < 12.4 ? [2.4, 1.6] : zoom < 14 ? [4, 2] : [6, 2.5]);

/** Gives the style sheet a path's colour and width, to adapt them to the scheme and the zoom. */
function paint(path, colour) {
  path.on("add", () => {
    const style = path.getElement()?.style;
    style?.setProperty("--c", colour);
    style?.setProperty("--w", `${path.options.weight}px`);
  });
  return path;
}

function ring(latlng, colour, common) {
  const shown = paint(L.circleMarker(latlng, { ...common, radius: 4, weight: 2, color: colour, fillColor: "#fff", fillOpacity: 1, className: "ring", interactive: false }), colour);
  const resize = () => {
    const [radius, weight] = ringSize(shown._map.getZoom());
    shown.setStyle({ weight }).setRadius(radius);
  };
  shown.on("add", () => {
    resize();
    shown._map.on("zoomend", resize);
  });
  shown.on("remove", () => shown._map.off("zoomend", resize));
  const hit = L.circleMarker(latlng, { ...common, radius: 11, weight: 2, opacity: 0, fillOpacity: 0, className: "hit ring-hit" });
  return { shown: [shown], hit };
}

function line(latlngs, colour, width, works, common) {
  const stroke = (weight, className, options = {}) =>
    paint(L.polyline(latlngs, { ...common, weight, color: colour, lineCap: "round", interactive: false, className, ...options }), colour);
  const shown = works
    ? [stroke(width + 8, "works-band", { opacity: 0.28 }), stroke(width, "works-line", { dashArray: `${width} ${width * 1.6}` })]
    : [stroke(width + 4, "casing", { color: "#fff" }), stroke(width, "line")];
  const hit = L.polyline(latlngs, { ...common, weight: 18, opacity: 0, className: "hit line-hit" });
  return { shown, hit };
}

function area(latlngs, colour, description, feature, common) {
  const base = description.theme === "administration";
  const { about } = description.style;
  const rank = about ? (about === String(feature.id) ? " own" : " beside") : "";
  const hit = paint(
    L.polygon(latlngs, {
      ...common, weight: description.style.width, color: colour, fillColor: base ? "#fff" : colour,
      fillOpacity: base ? 1 : 0.2, className: base ? `hit area base${rank}` : "hit area",
    }),
    colour,
  );
  // Its edge is shared with its neighbours, which would lie over it as they are added after it.
  if (rank === " own") hit.on("add", () => queueMicrotask(() => hit.bringToFront()));
  return { shown: [], hit };
}

function middle(latlngs) {
  const path = Array.isArray(latlngs[0]) ? latlngs[0] : latlngs;
  const at = (path.length - 1) / 2;
  const [before, after] = [path[Math.floor(at)], path[Math.ceil(at)]];
  return L.latLng((before.lat + after.lat) / 2, (before.lng + after.lng) / 2);
}

const DEPTH = { LineString: 0, MultiLineString: 1, Polygon: 1, MultiPolygon: 2 };

/** Returns the layers that draw one part of a feature's geometry: what is seen, and what takes clicks and keys. */
function part(description, feature, geometry, common, topPane) {
  const { style } = description;
  const colour = colourOf(style, feature.properties);
  if (geometry.type === "Point") {
    const latlng = L.GeoJSON.coordsToLatLng(geometry.coordinates);
    if (style.cluster || style.symbol !== "dot" || style.by) {
      return [{ shown: [], hit: marker(description, feature, latlng, topPane) }];
    }
    return [ring(latlng, colour, common)];
  }
  const latlngs = L.GeoJSON.coordsToLatLngs(geometry.coordinates, DEPTH[geometry.type]);
  if (geometry.type.endsWith("Polygon")) return [area(latlngs, colour, description, feature, common)];
  const drawn = line(latlngs, colour, style.width, Boolean(style.by), common);
  if (!style.by) return [drawn];
  // The state's symbol stands in the middle of the stretch; it takes the keys, the line takes clicks only.
  drawn.clickOnly = true;
  return [drawn, { shown: [], hit: marker(description, feature, middle(latlngs), topPane) }];
}

/** Returns the geometries that a geometry is made of. */
export function* parts(geometry) {
  if (geometry?.type === "GeometryCollection") {
    for (const inner of geometry.geometries) yield* parts(inner);
  } else if (geometry?.type === "MultiPoint") {
    for (const coordinates of geometry.coordinates) yield { type: "Point", coordinates };
  } else if (geometry) yield geometry;
}

/** Returns the drawn parts of a feature. */
export function draw(description, feature, renderer, pane, topPane) {
  const common = { renderer, pane };
  return [...parts(feature.geometry)].flatMap((geometry) => part(description, feature, geometry, common, topPane));
}

export const makeRenderer = (description, pane) => (description.count > CANVAS_FROM ? L.canvas({ pane }) : L.svg({ pane, padding: 0.4 }));

/** Makes the icon of a cluster: how many it holds, with a ring of their colours; its label names the most frequent kinds. */
export function clusterIcon(description, cluster) {
  const { style } = description;
  const features = cluster.getAllChildMarkers().map((child) => child.feature);
  const colours = new Map();
  const kinds = new Map();
  for (const { properties } of features) {
    const colour = colourOf(style, properties);
    colours.set(colour, (colours.get(colour) ?? 0) + 1);
    const kind = kindOf(style, properties);
    if (kind) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const most = [...kinds].sort((a, b) => b[1] - a[1]).slice(0, 4);
  const held = most.map(([label, count]) => t("cluster-part", { label, count }));
  const title = [t("cluster", { count: features.length }), ...held].join("\n");
  const size = features.length < 10 ? 30 : features.length < 50 ? 36 : 42;
  return elementIcon(size, () => {
    const made = element("div", { class: "cluster", role: "button", title, "aria-label": `${title.replaceAll("\n", comma)}. ${t("cluster-open")}` });
    made.style.setProperty("--ring", ringOf(colours, features.length));
    made.append(element("span", {}, number(features.length)));
    return made;
  });
}

function ringOf(colours, total) {
  let done = 0;
  const slices = [...colours].sort((a, b) => b[1] - a[1]).map(([colour, count]) => {
    const from = done;
    done += (count / total) * 100;
    return `${colour} ${from.toFixed(1)}% ${done.toFixed(1)}%`;
  });
  return `conic-gradient(${slices.join(", ")})`;
}

/** Makes what a feature's tooltip says: its name and kind. */
export function tooltip(description, feature) {
  const kind = kindOf(description.style, feature.properties);
  return element("div", { dir: rtl ? "rtl" : "ltr" }, nameElement(nameOf(feature.properties), "strong"), kind ? element("span", { class: "tooltip-kind" }, kind) : null);
}
