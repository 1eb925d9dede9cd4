// A layer whose features are fetched by URL when it is first shown.

import { ask } from "./answers.js";
import { openCard } from "./card.js";
import { clusterIcon, draw, makeRenderer, spoken, tooltip } from "./draw.js";
import { placeIn, seenPart } from "./seen.js";
import { reducedMotion, rtl } from "./texts.js";

/** Pages of features that one layer may fetch; a longer layer says that it is cut. */
const MAX_PAGES = 5;
/** Marks of layers that don't cluster are put together when this close, in pixels, at zooms before this one: seen from far. */
const [CLOSE, APART] = [40, 12];
/** Height of a row of marks that are read one after the other, in pixels. */
const ROW = 48;

/** Tells whether a layer is the land itself, on which the others lie. */
export const isLand = ({ style, theme }) => theme === "administration" && style.symbol === "area";

/** Returns the level at which a layer is drawn: land below all else, lines, areas and dots above it, then marks. */
export function levelOf(description, marks) {
  return description.style.order + (marks ? 510 : isLand(description) ? 300 : 400);
}

/** Tells whether a layer's points are marks, rather than plain dots. */
export const hasMarks = ({ symbol, by }) => symbol !== "dot" || Boolean(by);

export const FeatureLayer = L.FeatureGroup.extend({
  initialize(description) {
    L.FeatureGroup.prototype.initialize.call(this, []);
    this.description = description;
    this.state = "idle";
    this.when = null;
    /** A promise of what says of which time the layer is shown, where something does. */
    this.time = null;
    this.cut = false;
    this.features = new Map();
    this._elements = new Map();
    this._marks = new Map();
    /** The feature whose card is open, and what is marked for it: itself, or the cluster that holds it. */
    this._chosen = null;
    this._ringed = null;
  },

  onAdd(map) {
    if (!this._renderer) this._prepare(map);
    L.FeatureGroup.prototype.onAdd.call(this, map);
    map.on("moveend", this._tabStops, this).on("moveend", this._ring, this);
    if (this._canvas) this._stopsOn(map);
    if (this.state === "idle") this.load();
    else this._tabStops();
  },

  onRemove(map) {
    map.off("moveend", this._tabStops, this).off("moveend", this._ring, this);
    this._stops?.remove();
    this._stops = null;
    L.FeatureGroup.prototype.onRemove.call(this, map);
  },

  _prepare(map) {
    const { id, style } = this.description;
    this._pane = `layer-${id}`;
    this._topPane = `layer-${id}-top`;
    map.createPane(this._pane).style.zIndex = levelOf(this.description, false);
    map.createPane(this._topPane).style.zIndex = levelOf(this.description, true);
    this._renderer = makeRenderer(this.description, this._pane);
    this._canvas = this._renderer instanceof L.Canvas;
    if (style.cluster || hasMarks(style)) {
      this._cluster = L.markerClusterGroup({
        iconCreateFunction: (cluster) => clusterIcon(this.description, cluster),
        clusterPane: this._topPane,
        maxClusterRadius: style.cluster ? (zoom) => (zoom < 13 ? 64 : zoom < 15 ? 52 : 40) : CLOSE,
        ...(style.cluster ? {} : { disableClusteringAtZoom: APART, removeOutsideVisibleBounds: false }),
        showCoverageOnHover: false,
        animate: !reducedMotion,
        spiderLegPolylineOptions: { className: "spider-leg", weight: 1.5 },
      });
      // A cluster opened by key leaves the page; the map keeps the focus, so that Tab goes on from there.
      this._cluster.on("clusterkeypress", () => map.getContainer().focus({ preventScroll: true }));
      this._cluster.on("animationend spiderfied unspiderfied", this._ring, this);
      this.addLayer(this._cluster);
    }
  },

  /** Takes another filter and address, and draws what is there now. */
  reload(changes) {
    Object.assign(this.description, changes);
    this._asked = null;
    this._clear();
    if (this._map) this.load();
    else this.state = "idle";
  },

  /** Fetches and draws the features; the event "state" tells how it goes: loading, ready or failed. */
  async load() {
    const asked = {};
    this._asked = asked;
    this._setState("loading");
    // Layers are put on the map before it starts, in the same turn.
    await Promise.resolve().then(() => this.time);
    if (this._asked !== asked) return;
    try {
      const features = await this._fetchAll();
      if (this._asked !== asked) return;
      this._clear();
      this._draw(features);
      this._setState("ready");
    } catch (error) {
      if (this._asked !== asked) return;
      // What is still there is of another time.
      this._clear();
      console.warn(`layer ${this.description.id}:`, error.message);
      this._setState("failed");
    }
  },

  async _fetchAll() {
    const { items } = this.description;
    const found = [];
    let address = this.when ? `${items}&datetime=${encodeURIComponent(this.when)}` : items;
    for (let page = 0; address && page < MAX_PAGES; page += 1) {
      const collection = await ask(address, { headers: { Accept: "application/geo+json" } });
      found.push(...collection.features);
      // Only the query is taken: the address itself may name the service's public host.
      const next = collection.links?.find((link) => link.rel === "next");
      address = next ? items.replace(/\?.*$/, new URL(next.href, window.location.href).search) : null;
    }
    this.cut = Boolean(address);
    return found;
  },

  /** Shows what there is in a time (a date or an interval of RFC 3339); null for all. */
  setTime(when) {
    if (this.when === when) return;
    this.when = when;
    if (this.state !== "idle") this.load();
  },

  /** Takes the drawn features off. */
  _clear() {
    this._cluster?.clearLayers();
    for (const drawn of this.getLayers()) if (drawn !== this._cluster) this.removeLayer(drawn);
    this.features.clear();
    this._elements.clear();
    this._marks.clear();
  },

  /** Returns how many features there are on the map, null where only the server knows. */
  counted() {
    if (this.state === "ready") return this.features.size;
    return this.description.filter || this.when ? null : this.description.count;
  },

  /** Returns how many features are in view. */
  seen() {
    if (!this._map) return 0;
    const bounds = this._map.getBounds();
    const view = L.bounds([bounds.getWest(), bounds.getSouth()], [bounds.getEast(), bounds.getNorth()]);
    const found = [...this.features.values()].map((feature) => ({ feature, part: seenPart(feature, view) })).filter(({ part }) => part);
    if (this._stops) {
      const near = this._stops.nearest();
      for (const { feature, part } of found) {
        const { x, y } = placeIn(part, view);
        near.add(feature, this._map.latLngToContainerPoint([y, x]));
      }
      this._stops.show(near.chosen(), found.length);
    }
    return found.length;
  },

  /** Gives what is drawn on a canvas stops for the keyboard, whose code few maps need. */
  async _stopsOn(map) {
    const name = "stops";
    const { Stops } = await import(`./${name}.js`);
    if (this._map !== map || this._stops) return;
    this._stops = new Stops(this, map);
    this.fire("state");
  },

  /** Returns a feature by its id, of another time as well than the one that is shown; null where there is none. */
  async find(id) {
    const found = this.features.get(String(id));
    return found ?? (this.when ? fetched(this.description, id) : null);
  },

  /** Tells whether a feature is not on the map as it is of another time. */
  isOfAnotherTime(id) {
    return this.state === "ready" && Boolean(this.when) && !this.features.has(id);
  },

  _setState(state) {
    this.state = state;
    this.fire("state");
  },

  _draw(features) {
    const markers = [];
    for (const feature of features) {
      if (!feature.geometry) continue;
      this.features.set(String(feature.id), feature);
      for (const drawn of draw(this.description, feature, this._renderer, this._pane, this._topPane)) {
        for (const shown of drawn.shown) this.addLayer(shown);
        this._listen(feature, drawn);
        if (this._cluster && drawn.hit instanceof L.Marker) {
          markers.push(drawn.hit);
          this._marks.set(String(feature.id), drawn.hit);
        } else this.addLayer(drawn.hit);
      }
    }
    this._cluster?.addLayers(markers);
    this._tabStops();
  },

  _listen(feature, { hit, clickOnly }) {
    const id = String(feature.id);
    const open = (event) => {
      const origin = this._elements.get(id) ?? null;
      openCard(this, feature, event.latlng ?? hit.getLatLng?.() ?? hit.getCenter(), origin);
    };
    hit.on("click", (event) => {
      L.DomEvent.stopPropagation(event);
      open(event);
    });
    if (!clickOnly) hit.on("keydown", (event) => {
      if (event.originalEvent.key !== "Enter" && event.originalEvent.key !== " ") return;
      L.DomEvent.stop(event.originalEvent);
      open({});
    });
    hit.on("add", () => this._dress(feature, hit, clickOnly));
    if (this.description.theme !== "administration") {
      hit.bindTooltip(() => tooltip(this.description, feature), { direction: "top", sticky: !(hit instanceof L.Marker), offset: [0, -10], opacity: 1 });
    }
  },

  /** Makes a drawn path a button for keyboards and screen readers; markers are ones already. */
  _dress(feature, hit, clickOnly) {
    const drawn = hit.getElement?.();
    if (!drawn) return;
    if (clickOnly) {
      // What listens for keys is a stop of Tab in Chromium; this one has no name, its marker has.
      drawn.setAttribute("tabindex", "-1");
      drawn.setAttribute("focusable", "false");
      drawn.setAttribute("aria-hidden", "true");
      return;
    }
    const id = String(feature.id);
    drawn.dataset.feature = `${this.description.id}/${id}`;
    this._elements.set(id, drawn);
    if (hit instanceof L.Marker) return;
    drawn.setAttribute("role", "button");
    drawn.setAttribute("tabindex", "-1");
    drawn.setAttribute("aria-label", spoken(this.description, feature));
  },

  /** Lets Tab stop at the paths in view only; a browser would scroll to the others. */
  _tabStops() {
    if (!this._map) return;
    const view = this._map.getBounds();
    this.eachLayer((drawn) => {
      const path = drawn.getElement?.();
      if (!path?.dataset?.feature || drawn instanceof L.Marker) return;
      const seen = drawn.getBounds ? view.intersects(drawn.getBounds()) : view.contains(drawn.getLatLng());
      path.setAttribute("tabindex", seen ? "0" : "-1");
    });
    this._inOrder();
  },

  /** Lets Tab go from mark to mark as one reads, row by row; not while it is among them, which would lose the focus. */
  _inOrder() {
    const pane = this._map.getPane(this._topPane);
    if (pane.contains(document.activeElement)) return;
    const marks = [...pane.querySelectorAll(":scope > .map-icon")].map((node) => ({ node, at: L.DomUtil.getPosition(node) }));
    const row = ({ at }) => Math.round(at.y / ROW);
    marks.sort((a, b) => row(a) - row(b) || (rtl ? b.at.x - a.at.x : a.at.x - b.at.x));
    pane.append(...marks.map(({ node }) => node));
  },

  /** Returns the element of a feature on the map now, or that of the cluster that holds it, if there is one. */
  elementOf(id) {
    const found = this._elements.get(String(id));
    if (found?.isConnected) return found;
    const held = this._marks.get(String(id));
    return this._stops?.nodeOf(id) ?? (held && this._cluster.getVisibleParent(held)?._icon) ?? null;
  },

  /** Marks a feature as the one whose card is open. */
  select(id, on) {
    this._chosen = on ? id : null;
    this._ring();
  },

  /** Marks what stands for the chosen feature now: zooming puts it into a cluster, or takes it out of one. */
  _ring() {
    this._ringed?.classList.remove("selected");
    this._ringed = this._chosen === null ? null : this.elementOf(this._chosen);
    this._ringed?.classList.add("selected");
  },
});

/** Returns a layer's filter and the address of its features with it. */
export function filtered({ items }, filter) {
  const address = new URL(items, window.location.href);
  if (filter) address.searchParams.set("filter", filter);
  else address.searchParams.delete("filter");
  return { filter, items: address.pathname + address.search };
}

/** Fetches a feature by its id, of any time, where the layer's filter lets it be on the map; null where it does not. */
export async function fetched({ feature, filter }, id) {
  if (!filter) return ask(`${feature}/${encodeURIComponent(id)}?f=json`).catch(() => null);
  const query = new URLSearchParams({ f: "json", limit: 1, filter: `(${filter}) AND id = '${String(id).replaceAll("'", "''")}'` });
  return (await ask(`${feature}?${query}`).catch(() => null))?.features[0] ?? null;
}

/** Returns where a feature is, for the map to show it. */
export const placeOf = (feature) => L.geoJSON(feature).getBounds().getCenter();

/** Makers of layers, by how the browser gets them. */
export const kinds = { geojson: FeatureLayer };
