// The map's state in the address, so that it can be shared and the language switch keeps it:
// #map=zoom/latitude/longitude&layers=a,b&select=layer/id&time=2026-11. A link may begin it as ?view=…&layers=…&select=…&time=….

import { cardBox, openCard } from "./card.js";
import { placeOf } from "./layer.js";
import { lang, reducedMotion, t } from "./texts.js";

const VIEW = /^(\d{1,2}(?:\.\d+)?)\/(-?\d{1,2}(?:\.\d+)?)\/(-?\d{1,3}(?:\.\d+)?)$/;

const parameters = () => new URLSearchParams(window.location.hash.slice(1));

/** Returns what a link began a part of the state with, if it did. */
export const begun = (name) => new URLSearchParams(window.location.search).get(name);

/** Returns a part of the state: what it is now, else what the link began with. */
export const read = (name, asked = name) => parameters().get(name) ?? begun(asked);

function readView() {
  const found = VIEW.exec(read("map", "view") ?? "");
  if (!found) return null;
  const [zoom, lat, lon] = found.slice(1).map(Number);
  return Math.abs(lat) <= 85 && Math.abs(lon) <= 180 ? { zoom, centre: [lat, lon] } : null;
}

/** Writes a part of the state; null takes it out. Slashes and commas stay readable. */
export function write(name, value) {
  const parts = new Map(parameters());
  if (value === null) parts.delete(name);
  else parts.set(name, value);
  const written = [...parts].map(([key, text]) => `${key}=${encodeURIComponent(text).replace(/%2F/g, "/").replace(/%2C/g, ",")}`);
  window.history.replaceState(window.history.state, "", written.length ? `#${written.join("&")}` : window.location.pathname + window.location.search);
  keepInLinks();
}

function writeView(map) {
  const { lat, lng } = map.getCenter();
  const digits = map.getZoom() > 15 ? 5 : 4;
  const zoom = Math.round(map.getZoom() * 100) / 100;
  write("map", `${zoom}/${lat.toFixed(digits)}/${lng.toFixed(digits)}`);
}

/** Returns the address of what the map shows now, in the page's language: a page of its own, even from within a frame. */
export function addressOf(map) {
  writeView(map);
  if (window.location.protocol === "file:") return "";
  const path = window.location.pathname.replace(/\/embed\/([^/]+)$/, "/maps/$1");
  return `${window.location.origin}${path}?lang=${lang}${window.location.hash}`;
}

/** Tells screen readers how many features of the layers are in view, once the map rests. */
export function announceView(map, layers, status) {
  let waiting = 0;
  map.on("moveend", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const area = map.getBounds();
      const seen = layers.filter((layer) => map.hasLayer(layer)).flatMap((layer) => [...layer.features.values()]);
      const count = seen.filter(({ geometry }) => geometry?.type === "Point" && area.contains([geometry.coordinates[1], geometry.coordinates[0]])).length;
      status.textContent = t("in-view", { count });
    }, 700);
  });
}

function keepInLinks() {
  for (const link of document.querySelectorAll(".languages a[hreflang]")) link.hash = window.location.hash;
}

/** Shows the layers of the address, and writes there which are shown, where others are than the map begins with. */
export function startLayers(map, layers) {
  const shown = () => layers.filter((layer) => map.hasLayer(layer)).map((layer) => layer.description.id).join(",");
  const first = shown();
  const asked = read("layers")?.split(",");
  for (const layer of asked ? layers : []) {
    if (asked.includes(layer.description.id)) map.addLayer(layer);
    else map.removeLayer(layer);
  }
  map.on("layeradd layerremove", ({ layer }) => layers.includes(layer) && write("layers", shown() === first ? null : shown()));
}

/** Opens the card of the address once its layer is there, and writes there whose card is open. */
export function startSelection(map, layers) {
  map.on("select", ({ key }) => write("select", key));
  const [name, ...rest] = (read("select") ?? "").split("/");
  const layer = layers.find(({ description }) => description.id === name);
  const id = rest.join("/");
  if (!layer || !id) return;
  // Whoever asks for a thing wants to see it, though the map may begin without its layer.
  if (!map.hasLayer(layer)) map.addLayer(layer);
  const open = async () => {
    if (layer.state !== "ready") return;
    layer.off("state", open);
    const feature = await layer.find(id);
    if (feature) openCard(layer, feature, placeOf(feature), null);
  };
  layer.on("state", open);
  open();
}

/** Shows the view of the address, else the extent [west, south, east, north], clear of the panel. */
export function startView(map, extent, panel) {
  const apply = () => {
    const view = readView();
    if (view) map.setView(view.centre, view.zoom, { animate: false });
    return Boolean(view);
  };
  if (!apply()) {
    const [west, south, east, north] = extent;
    const { left, right } = panel?.covered() ?? { left: 0, right: 0 };
    const edge = map.getSize().x < 600 ? 8 : 24;
    map.fitBounds([[south, west], [north, east]], { animate: false, paddingTopLeft: [left + edge, edge], paddingBottomRight: [right + edge, edge + 16] });
  }
  keepInLinks();
  map.on("moveend", () => writeView(map));
  window.addEventListener("hashchange", apply);
  map.on("card", ({ latlng }) => uncover(map, latlng));
}

/** Moves the map so that a place is not hidden behind the card. */
function uncover(map, latlng) {
  const box = cardBox();
  if (!box) return;
  const area = map.getContainer().getBoundingClientRect();
  const sheet = box.width > area.width * 0.7;
  const left = !sheet && box.left - area.left < area.width / 2 ? box.right - area.left : 0;
  const right = !sheet && !left ? area.right - box.left : 0;
  const bottom = sheet ? area.bottom - box.top : 0;
  map.panInside(L.latLng(latlng), { paddingTopLeft: [left + 40, 60], paddingBottomRight: [right + 40, bottom + 40] });
}

const OVER = ".card-sheet, .time-bar, .tool-box, .list-link, .map-alert, .leaflet-control";

/** Moves the map so that a sign that gets the focus comes out from under what lies on the map (WCAG 2.2, 2.4.11). */
export function showFocused(map) {
  const look = (target) => {
    const { left, top, width, height } = target.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + height / 2];
    const box = document.elementFromPoint(x, y)?.closest(OVER)?.getBoundingClientRect();
    if (!box) return;
    const area = map.getContainer().getBoundingClientRect();
    const beside = box.height > area.height * 0.3 && box.width < area.width * 0.7;
    const across = box.left + box.width / 2 < area.left + area.width / 2 ? box.right + width : box.left - width;
    const along = box.top - area.top < 100 ? box.bottom + height : box.top - height;
    map.panBy(beside ? [x - across, 0] : [0, y - along], { animate: !reducedMotion });
  };
  map.getContainer().addEventListener("focusin", ({ target }) => {
    if (!target.matches(".map-icon")) return;
    // Leaflet brings in what is outside of the map, from where it may still have to go on.
    let left = 3;
    const again = () => {
      left -= 1;
      if (left >= 0 && document.activeElement === target) look(target);
    };
    map.on("moveend", again);
    setTimeout(() => map.off("moveend", again), 900);
    look(target);
  });
}

/** Zoom at which a single place is shown. */
const NEAR = 16;

/** Room for the panel and the card: beside the map, or below it on phones. */
function room(map) {
  const { x, y } = map.getSize();
  const side = x < 700 ? 20 : Math.min(390, x * 0.3);
  return { paddingTopLeft: [side, 40], paddingBottomRight: [side, x < 700 ? y * 0.58 + 20 : 60] };
}

/** Returns once a layer's features are there, or could not be fetched. */
const settled = (layer) => new Promise((resolve) => {
  const look = () => {
    if (layer.state !== "ready" && layer.state !== "failed") return;
    layer.off("state", look);
    resolve();
  };
  layer.on("state", look);
  look();
});

async function show(map, layer, found, origin) {
  if (!map.hasLayer(layer)) map.addLayer(layer);
  await settled(layer);
  const feature = await layer.find(found.id).catch(() => null);
  if (!feature) return false;
  const bounds = L.geoJSON(feature).getBounds();
  if (feature.geometry.type === "Point") map.setView(bounds.getCenter(), Math.max(map.getZoom(), NEAR));
  else map.fitBounds(bounds, { ...room(map), maxZoom: NEAR });
  const [lon, lat] = found.geometry.coordinates;
  openCard(layer, feature, L.latLng(lat, lon), origin);
  return true;
}

/** Shows choices on the map; what is not on it, and districts and categories, which have pages, are left to the box. */
export function followSearch(map, layers) {
  let pin = null;
  document.addEventListener("search-choice", (event) => {
    const found = event.detail;
    const { kind, collection, url } = found.properties;
    const layer = layers.find((other) => other.description.id === collection);
    if (kind === "coordinates") {
      event.preventDefault();
      const [lon, lat] = found.geometry.coordinates;
      pin?.remove();
      pin = L.marker([lat, lon], { icon: L.divIcon({ className: "found-pin", iconSize: [22, 22] }), interactive: false, keyboard: false }).addTo(map);
      map.setView([lat, lon], Math.max(map.getZoom(), NEAR));
      map.getContainer().focus({ preventScroll: true });
    } else if (layer && kind !== "district" && kind !== "category") {
      event.preventDefault();
      show(map, layer, found, event.target).then((shown) => {
        if (!shown) window.location.assign(new URL(url, window.location.href).pathname);
      });
    }
  });
}
