// What folium's map script calls: window.casamaps. Set up before that script runs, as both are deferred in this order.

import { closeCard } from "./card.js";
import { Names, note } from "./labels.js";
import { filtered, isLand, kinds } from "./layer.js";
import { startOffline } from "./offline.js";
import { Panel } from "./panel.js";
import { announce } from "./seen.js";
import { spread } from "./spread.js";
import { begin, element, filters, length, reducedMotion, rtl, t, tellHeight, whole } from "./texts.js";
import { keepTips } from "./tips.js";
import { unsay } from "./toast.js";
import { closeBox, startTools } from "./tools.js";
import { followAddress, followSearch, showFocused, startLayers, startSelection, startView } from "./view.js";

const end = rtl ? "left" : "right";
L.Control.Zoom.mergeOptions({ zoomInTitle: t("zoom-in"), zoomOutTitle: t("zoom-out") });
L.Control.Scale.mergeOptions({ imperial: false, maxWidth: 110, position: `bottom${end}` });
L.Control.Scale.include({
  _updateMetric(most) {
    const metres = this._getRoundNum(most);
    this._updateScale(this._mScale, length(metres), metres / most);
  },
});
L.Control.Attribution.mergeOptions({ position: `bottom${end}`, prefix: false });
L.Map.mergeOptions({ zoomAnimation: !reducedMotion, fadeAnimation: !reducedMotion, markerZoomAnimation: !reducedMotion, inertia: !reducedMotion });
keepTips();
L.control.layers = (base, overlays, options) => new Panel(base, overlays, options);

const alerts = document.getElementById("map-alerts");
const status = document.getElementById("map-status");
let alerted = null;

/** Shows each credit once, though several layers give it; Leaflet writes credits as HTML, so this is made from text. */
function showCredits(map, layers) {
  const found = [...new Set(layers.flatMap((layer) => layer.description.attribution.split(/\s*[;؛]\s*/)))];
  const own = found.filter((text) => text && !found.some((other) => other !== text && text.startsWith(`${other} (`)));
  const holder = element("span", {}, ...own.flatMap((text, index) => [index ? " · " : "", element("bdi", {}, text)]));
  // eslint-disable-next-line no-restricted-properties -- read, not written: the escaped form of our own text nodes
  map.attributionControl.addAttribution(holder.innerHTML);
  tellHeight(map.attributionControl.getContainer(), "credits");
  tellHeight(map.attributionControl.getContainer().parentElement, "corner");
}

/** Tells the style sheet how far out the map is, for smaller marks. */
function followZoom(map) {
  const apply = () => {
    const zoom = map.getZoom();
    map.getContainer().dataset.zoom = zoom < 11.4 ? "far" : zoom < 12.9 ? "city" : "near";
  };
  map.on("zoomend", apply);
  apply();
}

/** Tells the style sheet whether there is land on the map: without it all is ground, where the sea would be all there is. */
function followLand(map, layers) {
  const land = layers.filter(({ description }) => isLand(description));
  const apply = () => map.getContainer().classList.toggle("without-land", !land.some((layer) => map.hasLayer(layer)));
  map.on("layeradd layerremove", ({ layer }) => land.includes(layer) && apply());
  apply();
}

/** Says on the map which layers failed, with a button, and that examples are examples. */
function showAlerts(map, layers) {
  const failed = layers.filter((layer) => layer.state === "failed");
  const examples = layers.filter((layer) => layer.description.demo && layer.state === "ready" && map.hasLayer(layer));
  // An alert that is made anew is said anew. The first time there is what the address leaves out, too.
  const wanted = [failed, examples].map((some) => some.map(({ description }) => description.id)).join("|");
  if (wanted === alerted) return;
  alerted = wanted;
  const made = whole ? [element("div", { class: "map-alert" }, element("span", {}, whole.text), element("a", { class: "button", href: whole.href }, whole.all))] : [];
  made.push(...failed.map((layer) => {
    const retry = element("button", { type: "button", class: "button" }, t("retry"));
    retry.addEventListener("click", () => layer.load());
    return element("div", { class: "map-alert error", role: "alert" }, element("span", {}, t("failed", { title: layer.description.title })), retry);
  }));
  for (const layer of examples) {
    made.push(element("div", { class: "map-alert demo" }, element("span", { class: "badge", "data-kind": "demo" }, t("demo")), element("span", {}, t("demo-layer", { title: layer.description.title }))));
  }
  alerts.replaceChildren(...made);
  map.fire("told");
}

function follow(map, layers, names) {
  status.textContent = t("loading");
  for (const layer of layers) {
    layer.on("state", () => {
      if (layer.state === "ready") {
        if (layer.description.style.label) names.add(layer);
        else names.arrange(true);
      }
      showAlerts(map, layers);
    });
  }
  map.on("layeradd layerremove", ({ layer }) => layers.includes(layer) && showAlerts(map, layers));
}

startOffline();

/** All layers of the map, those as well that are not shown at first, from the lowest to the topmost. */
const layers = [];

window.casamaps = {
  featureLayer(given) {
    const description = given.id in filters ? { ...given, ...filtered(given, filters[given.id]) } : given;
    const layer = new kinds[description.source](description);
    layers.push(layer);
    return layer;
  },
  note,
  start(map, { extent, background, controls }) {
    map.getContainer().classList.toggle("with-background", background);
    // Controls come first in the order of Tab, then the features.
    map.getContainer().prepend(map._controlContainer);
    followZoom(map);
    followLand(map, layers);
    followSearch(map, layers);
    const names = new Names(map);
    follow(map, layers, names);
    showCredits(map, layers);
    const panel = map.getContainer().querySelector(".panel")?.control;
    panel?.addNotices();
    startTools(map, layers, controls, L.latLngBounds([extent[1], extent[0]], [extent[3], extent[2]]));
    startLayers(map, layers);
    const told = layers.some((layer) => layer.description.demo && map.hasLayer(layer));
    startView(map, begin ?? extent, panel, { timed: controls.includes("time"), told });
    spread(map, layers);
    announce(map, layers, status);
    startSelection(map, layers);
    followAddress(map, layers);
    showFocused(map);
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      // What has the focus goes first, else what lies on top.
      const held = document.activeElement?.closest("#card, .tool-box");
      const ways = held?.id ? [closeCard] : held ? [closeBox] : [unsay, closeBox, closeCard];
      if (ways.some((close) => close())) event.preventDefault();
    });
    map.getContainer().dataset.started = "true";
  },
};
