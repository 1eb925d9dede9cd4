// Names on the map: of layers that ask for it, where there is room, the roomier areas first.

import { element, nameElement, nameOf } from "./texts.js";
import { isCovered } from "./tips.js";

const PANE = "names";
/** Points of the grid that is laid over an area, along each side, and how many of them are tried. */
const CELLS = 18;
const TRIED = 80;
/** How many times wider than its area a name may be where there is little room. */
const CROWDED = 2.1;
/** Width of a mark, in pixels, that a name may stand under where it has no other place; clusters are larger. */
const SMALL = 16;

/** Returns the distance, squared, from a point to a segment; plane coordinates. */
function segmentDistance(x, y, [x1, y1], [x2, y2]) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const along = dx || dy ? Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy))) : 0;
  return (x - x1 - along * dx) ** 2 + (y - y1 - along * dy) ** 2;
}

/** Returns how far inside of the rings a point lies; negative outside. */
function depth(x, y, rings) {
  let inside = false;
  let nearest = Number.POSITIVE_INFINITY;
  for (const ring of rings) {
    for (let i = 1; i < ring.length; i += 1) {
      const [a, b] = [ring[i - 1], ring[i]];
      if (a[1] > y !== b[1] > y && x < ((b[0] - a[0]) * (y - a[1])) / (b[1] - a[1]) + a[0]) inside = !inside;
      nearest = Math.min(nearest, segmentDistance(x, y, a, b));
    }
  }
  return (inside ? 1 : -1) * Math.sqrt(nearest);
}

/** Returns the points of a grid inside of a polygon, [lon, lat, room in degrees of latitude], the roomiest first. */
function places(coordinates) {
  const squeeze = Math.cos((coordinates[0][0][1] * Math.PI) / 180);
  const rings = coordinates.map((ring) => ring.map(([lon, lat]) => [lon * squeeze, lat]));
  const xs = rings[0].map(([x]) => x);
  const ys = rings[0].map(([, y]) => y);
  const [west, east, south, north] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const found = [];
  for (let i = 0; i < CELLS; i += 1) {
    for (let j = 0; j < CELLS; j += 1) {
      const x = west + ((i + 0.5) / CELLS) * (east - west);
      const y = south + ((j + 0.5) / CELLS) * (north - south);
      const room = depth(x, y, rings);
      if (room > 0) found.push([x / squeeze, y, room]);
    }
  }
  return found.sort((a, b) => b[2] - a[2]).slice(0, TRIED);
}

function anchors(geometry) {
  if (geometry.type === "Point") return [[...geometry.coordinates.slice(0, 2), 1]];
  if (geometry.type === "Polygon") return places(geometry.coordinates);
  if (geometry.type === "MultiPolygon") return geometry.coordinates.flatMap(places).sort((a, b) => b[2] - a[2]);
  return [];
}

const crosses = (a, b, [left, top, right, bottom]) =>
  !(Math.max(a.x, b.x) < left || Math.min(a.x, b.x) > right || Math.max(a.y, b.y) < top || Math.min(a.y, b.y) > bottom) &&
  Boolean(L.LineUtil.clipSegment(a, b, L.bounds([left, top], [right, bottom])));

const inside = (a, b) => a[0] >= b[0] && a[1] >= b[1] && a[2] <= b[2] && a[3] <= b[3];

const touch = (a, b) => a[0] < b[2] && a[2] > b[0] && a[1] < b[3] && a[3] > b[1];

/** Shows the names of layers with the style "label", clear of each other and, where possible, of the marks. */
export class Names {
  constructor(map) {
    this.map = map;
    this.sets = new Map();
    map.createPane(PANE).style.zIndex = 500;
    map.on("zoomend", () => this.arrange(true));
    map.on("moveend", () => this.arrange(false));
    map.on("spread told", () => this.arrange(true));
    map.on("layeradd layerremove", (event) => this.sets.has(event.layer) && this.arrange(true));
  }

  add(layer) {
    const found = [...layer.features.values()].map((feature) => this._make(feature)).filter((name) => name.anchors.length);
    found.sort((a, b) => b.anchors[0][2] - a.anchors[0][2]);
    for (const { node } of this.sets.get(layer) ?? []) node.remove();
    this.sets.set(layer, found);
    this.arrange(true);
  }

  _make(feature) {
    const node = element("div", { class: "name", "aria-hidden": "true" }, nameElement(nameOf(feature.properties)));
    this.map.getPane(PANE).append(node);
    const { offsetWidth: width, offsetHeight: height } = node.firstChild;
    return { node, anchors: anchors(feature.geometry), width, height, box: null, settled: false };
  }

  /** Returns the boxes of the marks on the map now, as large as they are drawn, in layer pixels. */
  _marks() {
    return [...this.map.getPane("mapPane").querySelectorAll(".map-icon")].map((icon) => {
      const { x, y } = L.DomUtil.getPosition(icon);
      const half = (icon.querySelector(".badge-mark") ?? icon).offsetWidth / 2 + 1;
      const [dx, dy = 0] = (icon.style.translate || "0").split(" ").map(Number.parseFloat);
      return [x + dx - half, y + dy - half, x + dx + half, y + dy + half];
    });
  }

  /** Returns what is seen of the map, beside the open panel, in layer pixels. */
  _seen() {
    const { left, right } = this.map.getContainer().querySelector(".panel")?.control.covered() ?? { left: 0, right: 0 };
    const from = this.map.containerPointToLayerPoint([left, 0]);
    const to = this.map.containerPointToLayerPoint(this.map.getSize().subtract([right, 0]));
    return [from.x, from.y, to.x, to.y];
  }

  /** Returns the boxes of what is told over the map, in layer pixels: a name under it could not be read. */
  _told() {
    const area = this.map.getContainer().getBoundingClientRect();
    return [...document.querySelectorAll(".map-alert")].map((node) => {
      const { left, top, right, bottom } = node.getBoundingClientRect();
      const [from, to] = [[left, top], [right, bottom]].map(([x, y]) => this.map.containerPointToLayerPoint([x - area.left, y - area.top]));
      return [from.x, from.y, to.x, to.y];
    });
  }

  /** Returns the stretches of lines on the map now, in layer pixels. */
  _stretches() {
    const found = [];
    this.map.eachLayer((path) => {
      if (path.options.className !== "line") return;
      for (const part of path.getLatLngs()[0] instanceof L.LatLng ? [path.getLatLngs()] : path.getLatLngs()) {
        const points = part.map((latlng) => this.map.latLngToLayerPoint(latlng));
        for (let i = 1; i < points.length; i += 1) found.push([points[i - 1], points[i]]);
      }
    });
    return found;
  }

  /** Places the names; those in view stay where they are until the zoom or the data changes. */
  arrange(again) {
    const names = [...this.sets].flatMap(([layer, found]) => found.map((name) => ({ name, shown: this.map.hasLayer(layer) })));
    const told = this._told();
    // What has been moved under a notice looks for another place.
    const stays = (name) => !again && name.settled && !told.some((box) => touch(name.box, box));
    if (names.every(({ name }) => stays(name))) return;
    const around = { marks: this._marks(), under: [], stretches: this._stretches(), seen: this._seen(), taken: told };
    const isSmall = ([left, , right]) => right - left <= SMALL;
    const crowded = { ...around, marks: around.marks.filter((mark) => !isSmall(mark)), under: around.marks.filter(isSmall) };
    for (const { name } of names) if (stays(name) && name.box) around.taken.push(name.box);
    for (const { name, shown } of names.filter((item) => !stays(item.name))) {
      // Where a name has no room of its own, as on a phone, a small mark may stand on it rather than that it is missing.
      name.box = shown ? (this._place(name, around) ?? this._place(name, crowded, CROWDED)) : null;
      name.node.hidden = !name.box;
      name.settled = Boolean(name.box) && inside(name.box, around.seen);
      if (name.box) around.taken.push(name.box);
    }
  }

  /** Finds the place for a name inside its area: not cut by an edge, free of names and marks, and on no line if it can. */
  _place(name, { taken, marks, under, stretches, seen }, beyond = 1.35) {
    let best = null;
    for (const [lon, lat, room] of name.anchors) {
      const at = this.map.latLngToLayerPoint([lat, lon]);
      const radius = at.y - this.map.latLngToLayerPoint([lat + room, lon]).y;
      if (name.width / 2 > radius * beyond) break;
      const box = [at.x - name.width / 2 - 3, at.y - name.height / 2, at.x + name.width / 2 + 3, at.y + name.height / 2];
      if ((touch(box, seen) && !inside(box, seen)) || taken.some((other) => touch(box, other)) || marks.some((mark) => touch(box, mark))) continue;
      const crossed = stretches.filter(([a, b]) => crosses(a, b, box)).length + 4 * under.filter((mark) => touch(box, mark)).length;
      if (!best || crossed < best.crossed) best = { at, box, crossed };
      if (!crossed) break;
    }
    if (best) L.DomUtil.setPosition(name.node, best.at);
    return best?.box ?? null;
  }
}

/** Puts a word on the map that belongs to no layer. */
export function note(map, { lat, lon, text }) {
  const node = element("div", { class: "name note", "aria-hidden": "true" }, element("span", { dir: "auto" }, text));
  map.getPane("overlayPane").append(node);
  const place = () => L.DomUtil.setPosition(node, map.latLngToLayerPoint([lat, lon]));
  // Half a word says nothing.
  const show = () => {
    node.hidden = false;
    node.hidden = isCovered(node.firstChild);
  };
  map.on("zoomend viewreset", place);
  map.on("moveend told", show);
  place();
}
