// The print view: the map at the size of the paper, with title, legend, scale, attribution and date.

import { date, element, t, zone } from "./texts.js";
import { say } from "./toast.js";
import { addressOf } from "./view.js";

let before = null;
/** How long a browser may take to begin to print, in milliseconds; some never do, as in a tab that has a frame's sandbox. */
const SOON = 1500;

/** Returns the legend of the shown layers: what the panel has, without its switches. */
function legend(map) {
  const rows = [...map.getContainer().querySelectorAll(".panel .layer")].filter((row) => row.querySelector("input")?.checked);
  return rows.map((row) => {
    const made = element("section", {}, row.querySelector(".swatch").cloneNode(true), element("h3", { dir: "auto" }, row.querySelector(".layer-title").textContent));
    const demo = row.querySelector("label .badge");
    if (demo) made.append(demo.cloneNode(true));
    for (const list of row.querySelectorAll(".legend ul")) made.append(list.cloneNode(true));
    return made;
  });
}

function sheet(map) {
  // Each credit keeps its own direction; the control's text in one piece would turn those in Arabic around.
  const credit = map.getContainer().querySelector(".leaflet-control-attribution").cloneNode(true).childNodes;
  const when = document.querySelector(".time-said output")?.textContent;
  const title = document.querySelector("h1").textContent;
  return [
    element("header", { class: "print-part print-head" }, element("h2", {}, title), when ? element("p", { class: "print-when" }, when) : null, element("p", {}, t("print.date", { date: date(new Date(), { dateStyle: "long", timeZone: zone }) }))),
    element("aside", { class: "print-part print-legend" }, element("h3", {}, t("print.legend")), ...legend(map)),
    element("footer", { class: "print-part print-foot" }, element("span", {}, ...credit), element("bdi", { dir: "ltr" }, addressOf(map))),
  ];
}

/**
 * Returns what is seen of the map beside the panel. Where that is much of what the map is about, what else is seen, as the
 * sea on a phone held upright, is left off: paper has another shape.
 */
function seen(map, extent) {
  const { left, right } = map.getContainer().querySelector(".panel")?.control.covered() ?? { left: 0, right: 0 };
  const { x, y } = map.getSize();
  const all = L.latLngBounds(map.containerPointToLatLng([left, 0]), map.containerPointToLatLng([x - right, y]));
  const [[south, west], [north, east]] = [all.getSouthWest(), all.getNorthEast()].map(({ lat, lng }) => [lat, lng]);
  const [[low, least], [high, most]] = [extent.getSouthWest(), extent.getNorthEast()].map(({ lat, lng }) => [lat, lng]);
  const part = L.latLngBounds([Math.max(south, low), Math.max(west, least)], [Math.min(north, high), Math.min(east, most)]);
  const wide = (Math.min(east, most) - Math.max(west, least)) / (east - west);
  const tall = (Math.min(north, high) - Math.max(south, low)) / (north - south);
  return wide > 0.5 && tall > 0.2 ? part : all;
}

/** Gives a long legend more room beside the map and smaller letters and, where that is not enough, a sheet of its own. */
function fitLegend() {
  const part = document.querySelector(".print-legend");
  const isCut = () => part.scrollHeight > part.clientHeight + 1 || part.scrollWidth > part.clientWidth + 1;
  for (const fit of ["tight", "own"]) {
    if (!isCut()) return;
    document.documentElement.dataset.legend = fit;
  }
  document.querySelector(".map-area").after(part);
}

function enter(map, paper, extent) {
  if (before) return;
  before = { bounds: seen(map, extent), centre: map.getCenter(), zoom: map.getZoom() };
  document.querySelector(".map-area").append(...sheet(map));
  document.documentElement.dataset.paper = paper;
  fitLegend();
  map.invalidateSize({ animate: false });
  map.fitBounds(before.bounds, { animate: false });
}

function leave(map) {
  if (!before) return;
  const { centre, zoom } = before;
  before = null;
  delete document.documentElement.dataset.paper;
  delete document.documentElement.dataset.legend;
  for (const part of document.querySelectorAll(".print-part")) part.remove();
  map.invalidateSize({ animate: false });
  map.setView(centre, zoom, { animate: false });
}

const frame = () => new Promise((done) => { requestAnimationFrame(done); });

async function settled(layers, map) {
  const busy = () => layers.some((layer) => map.hasLayer(layer) && layer.state === "loading");
  for (let waited = 0; waited < 600 && (waited < 3 || busy()); waited += 1) await frame();
}

/** Makes ready for printing, by the browser's own command too; returns what the button does, in a box of the tools. */
export function startPrint(map, layers, openBox, extent) {
  window.addEventListener("beforeprint", () => enter(map, "a4", extent));
  window.addEventListener("afterprint", () => leave(map));
  return (button) => {
    const paper = element("select", {}, ...["a4", "a3"].map((size) => element("option", { value: size }, t(`print.${size}`))));
    const go = element("button", { type: "button", class: "button" }, t("print.start"));
    const close = openBox(button, t("tool.print"), [element("label", {}, t("print.paper"), paper), go]);
    go.addEventListener("click", async () => {
      const size = paper.value;
      close();
      enter(map, size, extent);
      await settled(layers, map);
      let begun = false;
      window.addEventListener("beforeprint", () => { begun = true; }, { once: true });
      window.print();
      setTimeout(() => {
        if (begun || !before) return;
        leave(map);
        say(t("print.refused"));
      }, SOON);
    });
  };
}
