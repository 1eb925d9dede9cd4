// Layers that are too large for one file: vector tiles, drawn on canvases. Loaded by maps that have such a layer only.

import { PbfReader } from "../lib/pbf.js";
import { VectorTile } from "../lib/vector-tile.js";
import { openCard } from "./card.js";
import { tooltip } from "./draw.js";
import { fetched, hasMarks, kinds, levelOf } from "./layer.js";
import { placeIn, touches } from "./seen.js";
import { Stops } from "./stops.js";
import { element, listAddress, nameElement, nameOf } from "./texts.js";
import { hit, Look, onScheme, paint, read } from "./tile-draw.js";

/** Side of a tile on the screen at its own zoom, in pixels: large tiles are fewer requests. */
const SIZE = 512;
/** Tiles that a source keeps, decoded. */
const KEPT = 48;
/** Milliseconds of a frame that may go into tiles while the map moves, and while it stands. */
const [MOVING, STANDING] = [6, 24];
/** Pixels around a mark that belong to it. */
const REACH = 14;
const MAX_NAMES = 60;
/** Features looked through before the browser is asked whether the frame's time is over. */
const STEP = 500;

const tasks = new Set();
let moved = 0;

function work() {
  const end = performance.now() + (performance.now() - moved < 150 ? MOVING : STANDING);
  for (const task of tasks) {
    let done = false;
    while (!done && performance.now() < end) ({ done } = task.next());
    if (!done) break;
    tasks.delete(task);
  }
  if (tasks.size) requestAnimationFrame(work);
}

/** Works through a generator, within each frame's share; gives back how to stop it. */
function start(task) {
  tasks.add(task);
  if (tasks.size === 1) requestAnimationFrame(work);
  return () => tasks.delete(task);
}

/** Tiles of all layers with the same filter: one request a tile, however many layers it holds. */
class Source {
  constructor(description) {
    Object.assign(this, { description, names: [], when: null, kept: new Map() });
  }

  address({ x, y, z }) {
    // …/collections/<id>/tiles/<matrix set> -> …/tiles/<matrix set>
    const own = this.description.tiles.replace(/\/collections\/[^/]+(\/tiles\/[^/]+)$/, "$1");
    const query = new URLSearchParams({ collections: this.names.join(",") });
    if (this.description.filter) query.set("filter", this.description.filter);
    if (this.when) query.set("datetime", this.when);
    return `${own}/${z - 1}/${y}/${x}?${query}`;
  }

  /** Returns the decoded layers of a tile by name, and how to say that it is not needed any more. */
  tile(coords) {
    const key = `${coords.z}/${coords.y}/${coords.x}`;
    const entry = this.kept.get(key) ?? { abort: new AbortController(), users: 0, done: false };
    // What was used last is dropped last.
    this.kept.delete(key);
    this.kept.set(key, entry);
    entry.users += 1;
    entry.layers ??= this.fetch(coords, entry);
    entry.layers.catch(() => this.kept.get(key) === entry && this.kept.delete(key));
    for (const [other, { users }] of this.kept) if (this.kept.size > KEPT && !users) this.kept.delete(other);
    const release = () => {
      entry.users -= 1;
      if (entry.users || entry.done) return;
      entry.abort.abort();
      // Whoever needs the tile again must ask again, not get what was broken off.
      if (this.kept.get(key) === entry) this.kept.delete(key);
    };
    return { layers: entry.layers, release };
  }

  async fetch(coords, entry) {
    // The map's script goes first: it adds the other layers, and moves to where the map begins.
    await null;
    const response = await fetch(this.address(coords), { signal: entry.abort.signal });
    entry.done = true;
    if (response.status === 204 || response.status === 404) return {};
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return new VectorTile(new PbfReader(await response.arrayBuffer())).layers;
  }
}

const sources = new Map();

function sourceOf(description) {
  const { filter, shown, times, id } = description;
  // A layer that is not shown at first has its own, so that nobody loads it with the others; time is asked of those that
  // have times only.
  const key = JSON.stringify([filter, Boolean(times), shown ? "" : id]);
  if (!sources.has(key)) sources.set(key, new Source(description));
  sources.get(key).names.push(id);
  return sources.get(key);
}

export const TiledLayer = L.GridLayer.extend({
  tiled: true,

  initialize(description) {
    const { id, zoom } = description;
    const native = { minNativeZoom: zoom[0] + 1, maxNativeZoom: zoom[1] + 1 };
    L.GridLayer.prototype.initialize.call(this, { tileSize: SIZE, pane: `layer-${id}`, keepBuffer: 1, updateWhenIdle: false, ...native });
    Object.assign(this, { description, state: "idle", cut: false, features: new Map(), names: [], failures: 0 });
    this._source = sourceOf(description);
    this.on("loading", () => this._setState("loading"));
    this.on("load", () => this._setState(this.failures ? "failed" : "ready"));
    this.on("tileunload", ({ tile }) => tile.forget?.());
    onScheme(() => this._repaint());
  },

  onAdd(map) {
    const { id, style } = this.description;
    // As for GeoJSON, plain dots lie among lines and areas, marks above them.
    const marks = style.symbol !== "line" && style.symbol !== "area" && hasMarks(style);
    if (!map.getPane(this.options.pane)) map.createPane(`layer-${id}`).style.zIndex = levelOf(this.description, marks);
    L.GridLayer.prototype.onAdd.call(this, map);
    this.getContainer().setAttribute("aria-hidden", "true");
    map.on("zoomend", this._repaint, this);
    map.on("moveend", this._showNames, this);
    this.on("load", this._showNames, this);
    reachable(map).add(this);
    this._stops = new Stops(this, map);
  },

  onRemove(map) {
    map.off("zoomend", this._repaint, this).off("moveend", this._showNames, this);
    this.off("load", this._showNames, this);
    reachable(map).delete(this);
    this._stopLooking?.();
    this._stops.remove();
    this._stops = null;
    this._dropNames();
    L.GridLayer.prototype.onRemove.call(this, map);
  },

  _setState(state) {
    this.state = state;
    this.fire("state");
  },

  /** Asks for the tiles again. */
  load() {
    this.failures = 0;
    this.redraw();
  },

  /** Takes another filter, and draws what is there now. */
  reload(changes) {
    Object.assign(this.description, changes);
    this._source.names = this._source.names.filter((name) => name !== this.description.id);
    this._source = sourceOf(this.description);
    if (this._map) this.load();
    else this.state = "idle";
  },

  setTime(when) {
    if (this.when === when) return;
    if (this._source.when !== when) this._source.kept.clear();
    this._source.when = when;
    this.when = when;
    if (this._map) this.load();
  },

  counted() {
    return this.description.filter || this.when ? null : this.description.count;
  },

  /** Returns where the layer stands in text, for who can't point at it. */
  list() {
    return `${listAddress}&layers=${encodeURIComponent(this.description.id)}`;
  },

  createTile(coords, done) {
    const canvas = element("canvas", { width: 0, height: 0 });
    const { layers, release } = this._source.tile(coords);
    canvas.items = [];
    canvas.forget = () => {
      canvas.gone = true;
      canvas.stop?.();
      release();
    };
    layers.then(
      (found) => {
        // Other layers may have kept the tile in use.
        if (canvas.gone || !this._map) return undefined;
        const layer = found[this.description.id];
        if (!layer) return done(null, canvas);
        const scale = this._scaleOf(coords);
        const look = this._drawn();
        const all = function* () {
          yield* read(layer, SIZE, canvas.items);
          yield* paint(canvas, canvas.items, look, SIZE, scale);
          done(null, canvas);
        };
        canvas.stop = start(all());
      },
      (error) => {
        if (error.name !== "AbortError") {
          this.failures += 1;
          console.warn(`layer ${this.description.id}:`, error.message);
        }
        done(error, canvas);
      },
    );
    return canvas;
  },

  _scaleOf({ z }) {
    return this._map.getZoomScale(this._map.getZoom(), z);
  },

  /** Returns how features are drawn now; all tiles of a zoom share it, and its sprites. */
  _drawn() {
    const zoom = this._map.getZoom();
    const density = Math.min(2, window.devicePixelRatio || 1);
    if (this._kept?.zoom !== zoom || this._kept.density !== density || this._stale) this._kept = new Look(this.description, zoom, density);
    this._stale = false;
    return this._kept;
  },

  /** Draws the tiles at the new zoom, where they are stretched, or in the new colours. */
  _repaint(event) {
    if (!this._map) return;
    this._stale = !event || event.type !== "zoomend";
    const look = this._drawn();
    for (const { el, coords, loaded } of Object.values(this._tiles)) {
      if (!loaded || !el.items.length) continue;
      el.stop?.();
      const scale = this._scaleOf(coords);
      const fresh = document.createElement("canvas");
      el.stop = start((function* () {
        yield* paint(fresh, el.items, look, SIZE, scale);
        [el.width, el.height] = [fresh.width, fresh.height];
        el.getContext("2d").drawImage(fresh, 0, 0);
      })());
    }
  },

  /** Returns the feature at a place, null where there is none. */
  at(latlng) {
    for (const { el, coords } of Object.values(this._tiles)) {
      const scale = this._scaleOf(coords);
      const place = this._map.project(latlng, coords.z).subtract(coords.scaleBy(this.getTileSize()));
      if (place.x < -REACH || place.y < -REACH || place.x > SIZE + REACH || place.y > SIZE + REACH) continue;
      const found = hit(el.items, place.x, place.y, REACH / scale);
      if (found) return { type: "Feature", id: found.id, properties: found.properties };
    }
    return null;
  },

  /** Returns how many features are in view, each once, and lets the keyboard reach them: those near the middle, if many. */
  seen() {
    this._stopLooking?.();
    return new Promise((resolve) => {
      this._stopLooking = start(this._look(resolve));
    });
  },

  *_look(done) {
    const map = this._map;
    if (!map) return done(0);
    const [near, found] = [this._stops.nearest(), new Set()];
    const { x: width, y: height } = map.getSize();
    let looked = 0;
    for (const { el, coords } of Object.values(this._tiles)) {
      if (coords.z !== this._tileZoom) continue;
      const scale = this._scaleOf(coords);
      const corner = map.getPixelBounds().min.divideBy(scale).subtract(coords.scaleBy(this.getTileSize()));
      const view = L.bounds(corner, corner.add([width / scale, height / scale]));
      for (const item of el.items) {
        looked += 1;
        if (looked % STEP === 0) yield;
        if (found.has(item.id) || !touches(item, view)) continue;
        found.add(item.id);
        near.add(item, placeIn(item, view).subtract(corner).multiplyBy(scale));
      }
    }
    this._stops.show(near.chosen(), found.size);
    return done(found.size);
  },

  elementOf(id) {
    return this._stops?.nodeOf(id) ?? null;
  },

  find(id) {
    return fetched(this.description, id);
  },

  /** Marks a feature as the one whose card is open. */
  async select(id, on) {
    this._marked?.remove();
    this._chosen = on ? id : null;
    if (!on) return;
    const feature = await this.find(id).catch(() => null);
    if (!feature?.geometry || this._chosen !== id || !this._map) return;
    const options = { interactive: false, className: "tile-selected", pane: "markerPane", fill: false, weight: 4 };
    this._marked = L.geoJSON(feature, { ...options, style: options, pointToLayer: (_, latlng) => L.circleMarker(latlng, { ...options, radius: 16 }) }).addTo(this._map);
  },

  _dropNames() {
    for (const node of this.names) node.remove();
    this.names = [];
  },

  /** Writes the names of features, where the layer asks for them and there is room; after those of other layers. */
  _showNames() {
    if (this.description.style.label) requestAnimationFrame(() => this._map && this._placeNames());
  },

  /** Returns the boxes of the names on the map, in layer pixels. */
  _otherNames() {
    return [...this._map.getPane("names").querySelectorAll(".name:not([hidden])")].map((node) => {
      const { x, y } = L.DomUtil.getPosition(node);
      const { offsetWidth, offsetHeight } = node.firstChild;
      return [x - offsetWidth / 2, y - offsetHeight / 2, x + offsetWidth / 2, y + offsetHeight / 2];
    });
  },

  _placeNames() {
    this._dropNames();
    const taken = this._otherNames();
    const seen = new Set();
    const area = this._map.getBounds();
    for (const { el, coords } of Object.values(this._tiles)) {
      const corner = coords.scaleBy(this.getTileSize());
      for (const item of el.items) {
        if (this.names.length >= MAX_NAMES) return;
        if (seen.has(item.id)) continue;
        seen.add(item.id);
        const place = item.type === 1 ? item : { x: (item.box[0] + item.box[2]) / 2, y: (item.box[1] + item.box[3]) / 2 };
        const latlng = this._map.unproject(corner.add([place.x, place.y]), coords.z);
        if (area.contains(latlng)) this._name(item, latlng, taken);
      }
    }
  },

  _name(item, latlng, taken) {
    const at = this._map.latLngToLayerPoint(latlng);
    if (item.type === 1) at.y += 20;
    // Roughly as wide as it will be: measuring every name that has no room would cost more than the names.
    const half = nameOf(item.properties).text.length * 3.6 + 6;
    const box = [at.x - half, at.y - 12, at.x + half, at.y + 12];
    if (taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) return;
    taken.push(box);
    const node = element("div", { class: "name", "aria-hidden": "true" }, nameElement(nameOf(item.properties)));
    this._map.getPane("names").append(node);
    L.DomUtil.setPosition(node, at);
    this.names.push(node);
  },
});

const layersOf = new WeakMap();

/** Returns the tiled layers on a map that can be pointed at; listens for pointers once. */
function reachable(map) {
  if (!layersOf.has(map)) {
    layersOf.set(map, new Set());
    map.on("move", () => {
      moved = performance.now();
    });
    listen(map, layersOf.get(map));
  }
  return layersOf.get(map);
}

/** Canvases take no events: the map is asked what lies under the pointer, unless something on top of it does. */
function listen(map, layers) {
  const container = map.getContainer();
  const over = L.tooltip({ className: "of-tile", direction: "top", offset: [0, -10], opacity: 1 });
  const heightOf = (layer) => Number(layer.getPane().style.zIndex);
  const levelAt = (node) => Number(node.closest(".leaflet-pane[style]")?.style.zIndex ?? 0);
  const topmost = (event) => {
    if (event.target.closest(".leaflet-control-container, .tile-stop") || map.measuring) return null;
    const latlng = map.mouseEventToLatLng(event);
    const level = event.target.closest(".leaflet-interactive, .map-icon") ? levelAt(event.target) : 0;
    for (const layer of [...layers].sort((a, b) => heightOf(b) - heightOf(a))) {
      if (heightOf(layer) < level) continue;
      const feature = layer.at(latlng);
      if (feature) return { layer, feature, latlng };
    }
    return null;
  };
  container.addEventListener("click", (event) => {
    const found = map.dragging.moved() ? null : topmost(event);
    if (!found) return;
    event.stopPropagation();
    openCard(found.layer, found.feature, found.latlng, container);
  }, true);
  let waiting = null;
  container.addEventListener("mousemove", (event) => {
    if (!waiting) requestAnimationFrame(() => {
      const found = waiting.buttons ? null : topmost(waiting);
      waiting = null;
      container.classList.toggle("over-feature", Boolean(found));
      if (found) over.setLatLng(found.latlng).setContent(tooltip(found.layer.description, found.feature)).addTo(map);
      else over.remove();
    });
    waiting = event;
  });
  container.addEventListener("mouseleave", () => over.remove());
}

kinds.tiles = TiledLayer;
