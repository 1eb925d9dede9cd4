// The map's state in the address, so that it can be shared and the language switch keeps it:
// #map=zoom/latitude/longitude&layers=a,b&select=layer/id&time=2026-11. A link may begin it as ?view=…&layers=…&select=…&time=….

import { cardBox, closeCard, openCard } from "./card.js";
import { inFlight, landed } from "./flight.js";
import { placeOf } from "./layer.js";
import { roomFor } from "./room.js";
import { comma, lang, reducedMotion, rtl, t } from "./texts.js";
import { say } from "./toast.js";

const VIEW = /^(\d{1,2}(?:\.\d+)?)\/(-?\d{1,2}(?:\.\d+)?)\/(-?\d{1,3}(?:\.\d+)?)$/;

/** The parts of the state. */
const PARTS = ["map", "layers", "select", "time"];
/** What of the address could not be followed. */
let problems = [];

const parameters = () => new URLSearchParams(window.location.hash.slice(1));

/** Returns what a link began a part of the state with, if it did. */
export const begun = (name) => new URLSearchParams(window.location.search).get(name);

/** Returns a part of the state: what it is now, else what the link began with. */
export const read = (name, asked = name) => parameters().get(name) ?? begun(asked);

/** Says on the map what of its address it can't follow, all of it together; the text keeps its own direction. */
export function complain(part, value) {
  problems.push(t(`address.${part}`, { value: `\u2068${value.slice(0, 80)}\u2069` }));
  say(problems.join(" "));
}

function readView() {
  const text = read("map", "view");
  if (!text) return null;
  const [zoom, lat, lon] = VIEW.exec(text)?.slice(1).map(Number) ?? [];
  if (Math.abs(lat) <= 85 && Math.abs(lon) <= 180) return { zoom, centre: [lat, lon] };
  complain("view", text);
  return null;
}

/** Writes a part of the state; null takes it out. Slashes and commas stay readable. */
export function write(name, value) {
  const parts = new Map(parameters());
  if (value === null) parts.delete(name);
  else parts.set(name, value);
  const written = PARTS.filter((key) => parts.has(key)).map((key) => `${key}=${encodeURIComponent(parts.get(key)).replace(/%2F/g, "/").replace(/%2C/g, ",")}`);
  window.history.replaceState(window.history.state, "", written.length ? `#${written.join("&")}` : window.location.pathname + window.location.search);
  keepInLinks();
}

function writeView(map) {
  const { lat, lng } = map.getCenter();
  const digits = map.getZoom() > 15 ? 5 : 4;
  const zoom = Math.round(map.getZoom() * 100) / 100;
  write("map", `${zoom}/${lat.toFixed(digits)}/${lng.toFixed(digits)}`);
}

/** Which features of the layers are shown, as the address says it. */
const narrowed = { district: begun("district"), filter: begun("filter") };

/** Notes that another filter is shown than that of the address; null for none. The map's event "narrow" tells it. */
export function narrow(map, filter) {
  narrowed.filter = filter;
  map.fire("narrow", { filter });
}

/** Returns the address of what the map shows now, in the page's language: a page of its own, even from within a frame. */
export function addressOf(map) {
  writeView(map);
  if (begun("time") && !parameters().has("time")) write("time", begun("time"));
  if (window.location.protocol === "file:") return "";
  const path = window.location.pathname.replace(/\/embed\/([^/]+)$/, "/maps/$1");
  const query = new URLSearchParams({ lang, ...Object.fromEntries(Object.entries(narrowed).filter(([, value]) => value)) });
  return `${window.location.origin}${path}?${query}${window.location.hash}`;
}

function keepInLinks() {
  for (const link of document.querySelectorAll(".languages a[hreflang]")) link.hash = window.location.hash;
}

/** Writes which layers are shown, where others are than the map begins with. */
function keepLayers(map, layers) {
  const ids = (some) => some.map(({ description }) => description.id).join(",");
  const shown = ids(layers.filter((layer) => map.hasLayer(layer)));
  const usual = shown === ids(layers.filter(({ description }) => description.shown)) && begun("layers") === null;
  write("layers", usual ? null : shown);
}

/** Shows the layers of the address, those that the map begins with where it names none that is there. */
function showLayers(map, layers) {
  const asked = read("layers")?.split(",").map((name) => name.trim()).filter(Boolean);
  const unknown = asked?.filter((name) => !layers.some(({ description }) => description.id === name)) ?? [];
  const named = asked && (!asked.length || unknown.length < asked.length);
  for (const layer of layers) {
    if (named ? asked.includes(layer.description.id) : layer.description.shown) map.addLayer(layer);
    else map.removeLayer(layer);
  }
  if (unknown.length) complain("layers", unknown.join(comma));
  if (unknown.length || begun("layers") !== null || asked?.join(",") !== read("layers")?.toString()) keepLayers(map, layers);
}

/** Shows the layers of the address, and keeps there which are shown. */
export function startLayers(map, layers) {
  showLayers(map, layers);
  map.on("layeradd layerremove", ({ layer }) => layers.includes(layer) && keepLayers(map, layers));
}

/** Returns once a layer's features are there, or could not be fetched. */
const settled = (layer, states = ["ready", "failed"]) => new Promise((resolve) => {
  const look = () => {
    if (!states.includes(layer.state)) return;
    layer.off("state", look);
    resolve();
  };
  layer.on("state", look);
  look();
});

let choices = 0;

/** Opens the card of `layer/id` once its layer is there; says if there is no such thing. */
async function choose(map, layers, key) {
  choices += 1;
  const mine = choices;
  const [name, ...rest] = key.split("/");
  const layer = layers.find(({ description }) => description.id === name);
  const refuse = () => {
    write("select", null);
    complain("select", key);
  };
  if (!layer || !rest.length) {
    refuse();
    return;
  }
  // Whoever asks for a thing wants to see it, though the map may begin without its layer.
  const added = !map.hasLayer(layer);
  if (added) map.addLayer(layer);
  await settled(layer, ["ready"]);
  const feature = await layer.find(rest.join("/")).catch(() => null);
  if (mine !== choices) return;
  if (feature) openCard(layer, feature, placeOf(feature), null);
  else {
    if (added) map.removeLayer(layer);
    refuse();
  }
}

/** Opens the card of the address once its layer is there, and writes there whose card is open. */
export function startSelection(map, layers) {
  map.on("select", ({ key }) => {
    choices += 1;
    write("select", key);
  });
  const asked = read("select");
  if (asked) choose(map, layers, asked);
}

/** Follows a link to another state of the map that is open: what a new page would begin with. */
export function followAddress(map, layers) {
  window.addEventListener("hashchange", ({ oldURL }) => {
    if (!PARTS.some((name) => parameters().has(name))) {
      // A link within the page, such as past the map, leaves the map's state where it was.
      window.history.replaceState(window.history.state, "", new URL(oldURL).hash || window.location.pathname + window.location.search);
      return;
    }
    problems = [];
    const selected = read("select");
    showView(map);
    showLayers(map, layers);
    map.fire("address");
    if (selected) choose(map, layers, selected);
    else closeCard();
    keepInLinks();
  });
}

/** Shows the view of the address; tells whether there is one. */
function showView(map) {
  const view = readView();
  if (view) map.setView(view.centre, view.zoom, { animate: false });
  return Boolean(view);
}

/** Shows the view of the address, else the extent [west, south, east, north], clear of what lies over the map; see `roomFor`. */
export function startView(map, extent, panel, over) {
  if (!showView(map)) {
    const [west, south, east, north] = extent;
    const bounds = L.latLngBounds([south, west], [north, east]);
    map.fitBounds(bounds, { animate: false, ...roomFor(map, bounds, panel, over) });
  }
  keepInLinks();
  map.on("moveend", () => writeView(map));
  keepUncovered(map);
}

/**
 * Keeps the place of an open card clear of the card. A flight is not broken off for that; after one, and where the map has
 * been sent elsewhere since the card was asked for, the map does not leave what it shows.
 */
function keepUncovered(map) {
  let last = null;
  map.on("select", () => {
    last = null;
  });
  map.on("card", async (card) => {
    last = card;
    const flew = inFlight();
    if (flew) await landed();
    if (last !== card) return;
    const stays = flew || card.sent();
    if (!stays || map.getBounds().contains(card.latlng)) uncover(map, card.latlng);
  });
}

/** Returns the boxes of what is seen of some selectors. */
const seen = (parts) => [...document.querySelectorAll(parts)].map((node) => node.getBoundingClientRect()).filter(({ width }) => width);

/** Moves the map so that a place is not hidden behind the card, the controls beside it, the panel, a notice or the time. */
function uncover(map, latlng) {
  const card = cardBox();
  if (!card) return;
  const area = map.getContainer().getBoundingClientRect();
  const sheet = card.width > area.width * 0.7;
  const beside = sheet ? [0] : [card, ...seen(".leaflet-bar")].map((box) => (rtl ? box.right - area.left : area.right - box.left));
  const panel = map.getContainer().querySelector(".panel")?.control.covered();
  const side = Math.max(...beside);
  const [left, right] = rtl ? [side, panel?.right ?? 0] : [panel?.left ?? 0, side];
  const top = Math.max(20, ...seen(".map-alert").map((box) => box.bottom - area.top));
  const [below] = sheet ? [card] : seen(".time-bar");
  const bottom = below ? area.bottom - below.top : 0;
  map.panInside(L.latLng(latlng), { paddingTopLeft: [left + 40, top + 40], paddingBottomRight: [right + 40, bottom + 40], animate: !reducedMotion });
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
    if (!target.matches(".map-icon") || inFlight()) return;
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
