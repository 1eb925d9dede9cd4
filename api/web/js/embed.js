// A map in a frame of another site's page: its colour, its filter, and what it tells and is told.

import { closeCard, openCard } from "./card.js";
import { answer, tell } from "./channel.js";
import { lang, nameOf, reducedMotion, t } from "./texts.js";
import "./main.js";

const page = JSON.parse(document.getElementById("casamaps-data").textContent);
const { embed } = page;
/** Milliseconds between two messages on where the map is. */
const PAUSE = 200;
/** Contrast that text must have (WCAG 2.2, 1.4.3). */
const READABLE = 4.5;

const layers = [];
/** Layers by id that have the fields of the district's filter, and of the page's. */
const fitting = { district: new Set(), page: new Set() };
const filters = { district: embed.district ? `district_code = '${embed.district.replaceAll("'", "''")}'` : null, page: null };
const shownAtFirst = [];
let map = null;

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

/** Asks the service whether a layer can answer a filter; gives its reason where it can't. */
async function ask(description, filter) {
  const address = new URL(description.items, window.location.href);
  address.search = new URLSearchParams({ f: "json", lang, limit: "1", skipGeometry: "true", filter });
  let response = null;
  try {
    response = await fetch(address, { headers: { Accept: "application/geo+json" } });
  } catch {
    throw new Error(t("embed.unanswered"));
  }
  if (response.ok) return null;
  const said = (await response.json().catch(() => null))?.detail ?? t("embed.unanswered");
  if (response.status !== 400) throw new Error(said);
  return said;
}

/** Returns the ids of the layers that have a filter's fields; none is an error. */
async function whoFits(descriptions, filter) {
  const reasons = await Promise.all(descriptions.map((description) => ask(description, filter)));
  const found = descriptions.filter((_, index) => reasons[index] === null).map(({ id }) => id);
  if (found.length) return new Set(found);
  throw new Error(`${t("embed.unfit")} ${reasons.find(Boolean) ?? ""}`.trim());
}

/** Returns a layer's description with all filters that hold for it: its map's, the district's, the page's. */
function filtered(description, own) {
  const held = ["district", "page"].filter((kind) => filters[kind] && fitting[kind].has(description.id)).map((kind) => filters[kind]);
  const filter = [own, ...held].filter(Boolean).map((part, _, all) => (all.length > 1 ? `(${part})` : part)).join(" AND ") || null;
  const items = new URL(description.items, window.location.href);
  if (filter) items.searchParams.set("filter", filter);
  else items.searchParams.delete("filter");
  return { filter, items: items.pathname + items.search };
}

async function setFilter(filter) {
  const found = filter ? await whoFits(layers.map(({ description }) => description), filter) : new Set();
  filters.page = filter;
  fitting.page = found;
  closeCard();
  for (const layer of layers) {
    const next = filtered(layer.description, layer.ownFilter);
    if (next.filter !== (layer.description.filter ?? null)) layer.reload(next);
  }
}

/** Knows which layers the first filters hold for before any is drawn: their ids and addresses stand in the page. */
async function prepare() {
  const found = { district: filters.district && whoFits(embed.layers, filters.district).catch(() => new Set()), page: embed.filter && whoFits(embed.layers, embed.filter) };
  fitting.district = (await found.district) || new Set();
  fitting.page = (await found.page) || new Set();
  filters.page = embed.filter;
}

/* What the page around is told, and asks */

function viewOf() {
  const { lat, lng } = map.getCenter();
  const bounds = map.getBounds();
  const round = (value) => Number(value.toFixed(5));
  return { zoom: Number(map.getZoom().toFixed(2)), lat: round(lat), lon: round(lng), bbox: [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()].map(round) };
}

const shown = () => layers.filter((layer) => map.hasLayer(layer)).map(({ description }) => description.id);

function ready() {
  if (map) tell("ready", { map: embed.map, lang, title: document.title, layers: shown(), view: viewOf() });
}

function follow() {
  let timer = 0;
  map.on("moveend", () => {
    timer ||= setTimeout(() => {
      timer = 0;
      tell("view", viewOf());
    }, PAUSE);
  });
  map.on("select", ({ key }) => {
    const [name, ...rest] = (key ?? "").split("/");
    const feature = layers.find(({ description }) => description.id === name)?.features.get(rest.join("/"));
    tell("select", { layer: key ? name : null, id: key ? rest.join("/") : null, name: feature ? nameOf(feature.properties).text : null });
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

async function select(key) {
  if (key === null) {
    closeCard();
    return;
  }
  const [name, ...rest] = String(key).split("/");
  const id = rest.join("/");
  const layer = layers.find(({ description }) => description.id === name);
  if (!layer) throw new Error(t("embed.no-layer", { value: name.slice(0, 80), allowed: layers.map(({ description }) => description.id).join(", ") }));
  await loaded(layer);
  const feature = layer.features.get(id);
  if (!feature) throw new Error(t("embed.no-feature", { value: id.slice(0, 80), title: layer.description.title }));
  openCard(layer, feature, layer.placeOf(id), null);
}

function flyTo({ lat, lon, zoom }) {
  const level = zoom ?? map.getZoom();
  if (![lat, lon, level].every((value) => Number.isFinite(value)) || Math.abs(lat) > 85 || Math.abs(lon) > 180) throw new Error(t("embed.no-view"));
  return new Promise((resolve) => {
    map.once("moveend", () => resolve());
    if (reducedMotion || document.hidden) map.setView([lat, lon], level, { animate: false });
    else map.flyTo([lat, lon], level, { duration: 0.8 });
  });
}

function setLayers({ layers: wanted }) {
  const chosen = Array.isArray(wanted) ? wanted.map((name) => String(name).trim()) : shownAtFirst;
  for (const layer of layers) {
    if (chosen.includes(layer.description.id)) map.addLayer(layer);
    else map.removeLayer(layer);
  }
}

/* Beginning */

const { featureLayer, start } = window.casamaps;
Object.assign(window.casamaps, {
  featureLayer(description) {
    const layer = featureLayer({ ...description, ...filtered(description, description.filter) });
    layer.ownFilter = description.filter;
    layers.push(layer);
    if (description.shown) shownAtFirst.push(description.id);
    return layer;
  },
  start(started, told) {
    start(started, embed.box ? { ...told, extent: embed.box } : told);
    map = started;
    follow();
    answer("flyTo", flyTo);
    answer("select", ({ key }) => select(key));
    answer("setFilter", ({ filter }) => setFilter(filter === null ? null : String(filter)));
    answer("layers", setLayers);
    ready();
  },
});
answer("hello", ready);

function fail(error) {
  embed.problem = error.message;
  tell("problem", { message: error.message });
  const said = document.createElement("p");
  said.className = "map-alert error";
  said.setAttribute("role", "alert");
  said.textContent = error.message;
  document.getElementById("map-alerts").replaceChildren(said);
}

paint(embed.colour);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  document.documentElement.removeAttribute("style");
  paint(embed.colour);
});
const address = document.querySelector("script[data-map]").dataset.map;
prepare().then(() => {
  const script = document.createElement("script");
  script.src = address;
  script.addEventListener("error", () => fail(new Error(t("embed.unanswered"))));
  document.head.append(script);
}, fail);
