// Names on the map: of layers that ask for it, where there is room, the larger areas first.

import { element, nameElement, nameOf } from "./texts.js";

/* global L */

const PANE = "names";
const CELLS = 18;

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

/** Returns the middle of the largest circle, found on a grid, that fits into a polygon: [lon, lat, radius in degrees of latitude]. */
function roomiest(coordinates) {
  const squeeze = Math.cos((coordinates[0][0][1] * Math.PI) / 180);
  const rings = coordinates.map((ring) => ring.map(([lon, lat]) => [lon * squeeze, lat]));
  const xs = rings[0].map(([x]) => x);
  const ys = rings[0].map(([, y]) => y);
  const [west, east, south, north] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  let best = [0, 0, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < CELLS; i += 1) {
    for (let j = 0; j < CELLS; j += 1) {
      const x = west + ((i + 0.5) / CELLS) * (east - west);
      const y = south + ((j + 0.5) / CELLS) * (north - south);
      const room = depth(x, y, rings);
      if (room > best[2]) best = [x / squeeze, y, room];
    }
  }
  return best;
}

function anchor(geometry) {
  if (geometry.type === "Point") return [...geometry.coordinates.slice(0, 2), Number.POSITIVE_INFINITY];
  if (geometry.type === "Polygon") return roomiest(geometry.coordinates);
  if (geometry.type === "MultiPolygon") {
    return geometry.coordinates.map(roomiest).reduce((best, next) => (next[2] > best[2] ? next : best));
  }
  return null;
}

/** Shows the names of layers with the style "label"; which of them depends on the zoom level alone. */
export class Names {
  constructor(map) {
    this.map = map;
    this.sets = new Map();
    map.createPane(PANE).style.zIndex = 500;
    map.on("zoomend", () => this.arrange());
    map.on("layeradd layerremove", (event) => this.sets.has(event.layer) && this.arrange());
  }

  add(layer) {
    const found = [];
    for (const feature of layer.features.values()) {
      const at = anchor(feature.geometry);
      if (at) found.push(this._make(feature, at));
    }
    found.sort((a, b) => b.room - a.room);
    this.sets.set(layer, found);
    this.arrange();
  }

  _make(feature, [lon, lat, room]) {
    const node = element("div", { class: "name", "aria-hidden": "true" }, nameElement(nameOf(feature.properties)));
    this.map.getPane(PANE).append(node);
    const width = node.firstChild.offsetWidth;
    const height = node.firstChild.offsetHeight;
    return { node, latlng: L.latLng(lat, lon), room, width, height };
  }

  /** Puts each name at its place, hides those that don't fit into their area or would touch another. */
  arrange() {
    const taken = [];
    for (const [layer, names] of this.sets) {
      const shown = this.map.hasLayer(layer);
      for (const name of names) {
        const at = this.map.latLngToLayerPoint(name.latlng);
        const north = L.latLng(name.latlng.lat + Math.min(name.room, 1), name.latlng.lng);
        const radius = at.y - this.map.latLngToLayerPoint(north).y;
        const box = [at.x - name.width / 2 - 4, at.y - name.height / 2 - 2, at.x + name.width / 2 + 4, at.y + name.height / 2 + 2];
        const free = !taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1]);
        const visible = shown && free && name.width / 2 <= radius * 1.35;
        name.node.hidden = !visible;
        if (!visible) continue;
        L.DomUtil.setPosition(name.node, at);
        taken.push(box);
      }
    }
  }
}

/** Puts a word on the map that belongs to no layer. */
export function note(map, { lat, lon, text }) {
  const node = element("div", { class: "name note", "aria-hidden": "true" }, element("span", { dir: "auto" }, text));
  map.getPane("overlayPane").append(node);
  const place = () => L.DomUtil.setPosition(node, map.latLngToLayerPoint([lat, lon]));
  map.on("zoomend viewreset", place);
  place();
}
