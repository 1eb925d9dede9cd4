// A map in a frame of another site's page: its colour, its filter, and what it tells and is told.

import { closeCard, openCard } from "./card.js";
import { answer, tell } from "./channel.js";
import { fly, landed, sentSince, zoomAhead } from "./flight.js";
import { fetched, filtered, placeOf } from "./layer.js";
import { comma, lang, nameOf, t } from "./texts.js";
import { begun, narrow } from "./view.js";

const page = JSON.parse(document.getElementById("casamaps-data").textContent);
const { embed } = page;
/** Milliseconds between two messages on where the map is. */
const PAUSE = 200;
/** Contrast that text must have (WCAG 2.2, 1.4.3). */
const READABLE = 4.5;

const layers = [];
const shownAtFirst = [];
let map = null;
/** Whether the map shows what it begins with. */
let placed = false;

/* Turns */

let choices = 0;

/** Begins a selection; returns what tells whether a later one has begun since. */
function turn() {
  choices += 1;
  const mine = choices;
  return () => mine !== choices;
}

/** Numbers of filters: of the one that was asked for last, and of the one that is shown. */
const filters = { asked: 0, shown: 0 };
/** Resolves once each filter that has been asked for is shown or refused: what is selected after it is one of its features. */
let narrowing = Promise.resolve();
/** The feature whose card is open, `layer/id`. */
let opened = null;

const canvas = document.querySelector(".map");
const hasSize = () => canvas.clientWidth > 0 && canvas.clientHeight > 0;
let waiting = null;

/**
 * Resolves once the map has a size, at once if it has one: in a hidden part of a page there is nothing to lay out or to
 * draw, so what is asked meanwhile waits, in its order.
 */
function sized() {
  if (hasSize()) return waiting ?? Promise.resolve();
  waiting ??= new Promise((resolve) => {
    const observer = new ResizeObserver(([{ contentRect }]) => {
      if (!contentRect.width || !contentRect.height) return;
      observer.disconnect();
      waiting = null;
      map?.invalidateSize({ animate: false });
      resolve();
    });
    observer.observe(canvas);
  });
  return waiting;
}

/* Colour */

const channels = (colour) => [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));
const luminance = (colour) => {
  const [red, green, blue] = channels(colour).map((value) => (value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const contrast = (one, other) => {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
const mix = (one, other, part) => `#${channels(one).map((value, index) => Math.round(value + (channels(other)[index] - value) * part).toString(16).padStart(2, "0")).join("")}`;

/** Takes the portal's colour, as far from the paper's as text must be. */
function paint(colour) {
  const style = window.getComputedStyle(document.documentElement);
  const [paper, ink] = ["--paper", "--ink"].map((name) => style.getPropertyValue(name).trim());
  if (!colour || !paper.startsWith("#") || paper.length !== 7) return;
  const soft = mix(paper, colour, 0.12);
  const accent = [0, 0.15, 0.3, 0.45, 0.6, 0.8].map((part) => mix(colour, ink, part)).find((found) => Math.min(contrast(found, paper), contrast(found, soft)) >= READABLE) ?? ink;
  const on = ["#ffffff", "#06262a"].sort((a, b) => contrast(b, accent) - contrast(a, accent))[0];
  for (const [name, value] of [["--accent", accent], ["--accent-ink", on], ["--accent-soft", soft]]) document.documentElement.style.setProperty(name, value);
}

/* Filter */

const layerOf = (name) => layers.find(({ description }) => description.id === name);

/** Returns the layer's name, the layer, if there is one, and the id of what `layer/id` names. */
function parted(key) {
  const [name, ...rest] = String(key).split("/");
  return { name, layer: layerOf(name), id: rest.join("/") };
}

/**
 * Asks the service what the map shows with a filter: it knows which layers have its fields, and says if none has. Of
 * several filters that are not refused the one that was asked for last is shown, whichever is answered last.
 */
async function askFilter(filter) {
  filters.asked += 1;
  const mine = filters.asked;
  const asked = { f: "json", lang, district: embed.district, filter };
  const given = Object.entries(asked).filter(([, value]) => typeof value === "string" && value);
  let response = null;
  try {
    response = await fetch(`${page.base}/embed/${encodeURIComponent(embed.map)}?${new URLSearchParams(given)}`, { headers: { Accept: "application/json" } });
  } catch {
    throw new Error(t("embed.unanswered"));
  }
  const told = await response.json().catch(() => null);
  if (!response.ok || !told) throw new Error(told?.detail ?? t("embed.unanswered"));
  if (mine < filters.shown) return;
  filters.shown = mine;
  narrow(map, filter);
  const changed = told.layers.map(({ id, filter: next }) => ({ layer: layerOf(id), next })).filter(({ layer, next }) => layer && next !== layer.description.filter);
  for (const { layer, next } of changed) layer.reload(filtered(layer.description, next));
  const was = opened;
  const { layer, id } = parted(was);
  if (!changed.some((one) => one.layer === layer)) return;
  // The card of what is shown no longer closes, unless another card, or filter, has come meanwhile.
  if (!(await fetched(layer.description, id)) && opened === was && filters.shown === mine) closeCard();
}

function setFilter({ filter }) {
  const told = askFilter(filter);
  narrowing = Promise.allSettled([narrowing, told]);
  return told;
}

/* What the page around is told, and asks */

function viewOf() {
  if (!placed) return null;
  const { lat, lng } = map.getCenter();
  const bounds = map.getBounds();
  const round = (value) => Number(value.toFixed(5));
  return { zoom: Number(map.getZoom().toFixed(2)), lat: round(lat), lon: round(lng), bbox: [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()].map(round) };
}

/** Returns what is shown, or will be once the map has a size. */
function shown() {
  if (!placed) return begun("layers")?.split(",").map((name) => name.trim()) ?? shownAtFirst;
  return layers.filter((layer) => map.hasLayer(layer)).map(({ description }) => description.id);
}

/** A map that waits for its size is ready too: it takes calls, and has no view yet. */
function ready() {
  if (map) tell("ready", { map: embed.map, lang, title: document.title, layers: shown(), view: viewOf() });
}

/** Layers that were off and are on for a selection that is under way, and the layer of the last one. */
const lent = new Set();
let looked = null;

function follow() {
  let timer = 0;
  map.on("moveend", () => {
    timer ||= setTimeout(async () => {
      // A change of the map's size in a flight ends in the same event.
      await landed();
      timer = 0;
      tell("view", viewOf());
    }, PAUSE);
  });
  map.on("select", async ({ key }) => {
    opened = key;
    if (key) {
      turn();
      looked = null;
    }
    const { name, layer, id } = parted(key);
    const feature = await layer?.find(id).catch(() => null);
    tell("select", { layer: key ? name : null, id: key ? id : null, name: feature ? nameOf(feature.properties).text : null });
  });
}

/** Resolves once a layer has its features; a layer that is off is switched on. */
function loaded(layer) {
  if (!map.hasLayer(layer)) map.addLayer(layer);
  return new Promise((resolve, reject) => {
    const look = () => {
      if (layer.state !== "ready" && layer.state !== "failed") return;
      layer.off("state", look);
      if (layer.state === "ready") resolve();
      else reject(new Error(t("failed", { title: layer.description.title })));
    };
    layer.on("state", look);
    look();
  });
}

const unknownLayer = (name) => new Error(t("embed.no-layer", { value: name.slice(0, 80), allowed: layers.map(({ description }) => description.id).join(comma) }));

/**
 * Opens a card, of what the filters that were asked for before it let be on the map. Of several selections the last one
 * counts, whichever comes first; the reader's own are among them.
 */
async function select(key) {
  const overtaken = turn();
  const sent = sentSince();
  looked = null;
  if (key === null) {
    closeCard();
    return;
  }
  const { name, layer, id } = parted(key);
  if (!layer) throw unknownLayer(name);
  looked = layer;
  await narrowing;
  if (!map.hasLayer(layer)) lent.add(layer);
  let [feature, filter] = [null, null];
  // Another filter may come while the feature is looked for.
  do {
    ({ filter } = layer.description);
    await loaded(layer);
    feature = await layer.find(id);
  } while (filter !== layer.description.filter);
  const last = !overtaken();
  if (feature && last) lent.delete(layer);
  else if ((last || looked !== layer) && lent.delete(layer)) map.removeLayer(layer);
  if (!feature) throw new Error(t("embed.no-feature", { value: id.slice(0, 80), title: layer.description.title }));
  if (last) openCard(layer, feature, placeOf(feature), null, sent);
}

/** Moves the map, at the zoom that it has or goes to where none is given. */
function flyTo({ lat, lon, zoom }) {
  const level = zoom ?? zoomAhead(map);
  if (![lat, lon, level].every((value) => Number.isFinite(value)) || Math.abs(lat) > 85 || Math.abs(lon) > 180) throw new Error(t("embed.no-view"));
  const [lowest, highest] = [map.getMinZoom(), map.getMaxZoom()];
  if (level < lowest || level > highest) throw new Error(t("embed.no-zoom", { value: level, min: lowest, max: highest }));
  return fly(map, [lat, lon], level);
}

/** Shows layers, null for those that the map begins with; one that is not there changes nothing. */
function setLayers({ layers: wanted }) {
  const names = Array.isArray(wanted) ? wanted.map((name) => String(name).trim()).filter(Boolean) : [];
  for (const name of names) if (!layerOf(name)) throw unknownLayer(name);
  const chosen = names.length ? names : shownAtFirst;
  for (const layer of layers) {
    if (chosen.includes(layer.description.id)) map.addLayer(layer);
    else map.removeLayer(layer);
  }
}

/* Beginning */

const { featureLayer, start } = window.casamaps;
Object.assign(window.casamaps, {
  featureLayer(description) {
    const layer = featureLayer(description);
    layers.push(layer);
    if (description.shown) shownAtFirst.push(description.id);
    return layer;
  },
  start(started, told) {
    map = started;
    const place = () => {
      start(started, embed.box ? { ...told, extent: embed.box } : told);
      placed = true;
      follow();
    };
    if (hasSize()) place();
    else {
      sized().then(() => {
        place();
        tell("view", viewOf());
      });
    }
    const calls = { flyTo, select: ({ key }) => select(key), setFilter, layers: setLayers };
    for (const [name, handler] of Object.entries(calls)) answer(name, (data) => sized().then(() => handler(data)));
    ready();
  },
});
answer("hello", ready);

paint(embed.colour);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  document.documentElement.removeAttribute("style");
  paint(embed.colour);
});
