// The bar of tools at the map's edge: near me, measure, full screen, share, print. What is rarely used is loaded when it is.

import { startPrint } from "./print.js";
import { closer, element, rtl, t } from "./texts.js";
import { say } from "./toast.js";
import { addressOf } from "./view.js";

const SVG = "http://www.w3.org/2000/svg";
// Strokes in a box of 24 × 24.
const ICONS = {
  locate: "M12 3v3M12 18v3M3 12h3M18 12h3M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10z",
  measure: "M3 16 16 3l5 5L8 21zM7 12l2 2M10 9l3 3M13 6l2 2",
  fullscreen: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  share: "M12 15V3M8 7l4-4 4 4M5 12v8h14v-8",
  print: "M7 8V3h10v5M7 17H4V8h16v9h-3M7 14h10v7H7z",
};

export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "tool-icon");
  svg.setAttribute("aria-hidden", "true");
  const drawn = document.createElementNS(SVG, "path");
  drawn.setAttribute("d", path);
  svg.append(drawn);
  return svg;
}

/** The box that is open, as `{button, close}`. */
let opened = null;

/** Closes the open box; tells whether there was one. */
export function closeBox() {
  const open = Boolean(opened);
  opened?.close();
  return open;
}

/**
 * Opens a box of a tool over the map in place of the one that is open; a box that is open already closes. It is closed by
 * its button or Escape; the focus goes into it, and back to its button.
 *
 * @returns how to close it
 */
export function openBox(button, title, content, closed = () => {}) {
  const again = opened?.button === button;
  const before = opened?.close;
  before?.();
  if (again) return before;
  const box = element("section", { class: "tool-box", role: "group", "aria-label": title });
  const close = () => {
    if (!box.isConnected) return;
    const inside = box.contains(document.activeElement);
    box.remove();
    opened = null;
    button.setAttribute("aria-expanded", "false");
    closed();
    if (inside) button.focus();
  };
  box.append(element("header", {}, element("h2", {}, title), closer(close)), ...content);
  document.querySelector(".map-area").append(box);
  opened = { button, close };
  button.setAttribute("aria-expanded", "true");
  box.querySelector("button:not(.close), select, input")?.focus();
  return close;
}

async function share(map) {
  const address = addressOf(map);
  if (navigator.share && window.matchMedia("(pointer: coarse)").matches) {
    // Whoever closes the phone's own dialog has shared nothing, and knows. A frame may not open it.
    const told = await navigator.share({ title: document.title, url: address }).then(() => true, ({ name }) => name === "AbortError");
    if (told) return;
  }
  try {
    await navigator.clipboard.writeText(address);
    say(t("share.copied"));
  } catch {
    const field = element("input", { readonly: true, value: address, dir: "ltr", "aria-label": t("share.by-hand") });
    say(t("share.by-hand"), field);
    field.select();
  }
}

function fullscreen(button) {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.querySelector(".map-area").requestFullscreen().catch(() => {});
  document.onfullscreenchange = () => label(button, document.fullscreenElement ? "tool.fullscreen-end" : "tool.fullscreen");
}

function label(button, key) {
  button.title = t(key);
  button.setAttribute("aria-label", t(key));
}

/** Puts the tools that the map's description asks for onto the map. */
export function startTools(map, layers, controls, extent) {
  const load = (name) => import(`./${name}.js`);
  const begin = (module, button) => module.start(map, button, { layers, extent });
  const late = (name) => (button) => load(name).then((module) => begin(module, button));
  const does = {
    locate: navigator.geolocation && late("locate"),
    measure: late("measure"),
    fullscreen: document.fullscreenEnabled && fullscreen,
    share: () => share(map),
    print: startPrint(map, layers, openBox, extent),
  };
  const bar = element("div", { class: "leaflet-bar tools leaflet-control", role: "group", "aria-label": t("tool.bar") });
  for (const [name, act] of Object.entries(does)) {
    if (!controls.includes(name) || !act) continue;
    const button = element("button", { type: "button", "data-tool": name }, icon(ICONS[name]));
    label(button, `tool.${name}`);
    button.addEventListener("click", () => act(button));
    bar.append(button);
  }
  L.DomEvent.disableClickPropagation(bar);
  if (bar.childElementCount) {
    const control = L.control({ position: rtl ? "bottomleft" : "bottomright" });
    control.onAdd = () => bar;
    control.addTo(map);
  }
  if (controls.includes("time")) {
    const time = load("time");
    time.then((module) => begin(module));
    for (const layer of layers) if (layer.description.times) layer.time = time.catch(() => null);
  }
}
