// folium's layer switch, drawn as one panel: layers by theme with swatch, count and legend, and how their loading goes.

import { badge, colourOf } from "./draw.js";
import { element, mapsAddress, nameElement, nameOf, number, rtl, t } from "./texts.js";

/** Pixels from which the map has room for the open panel; in a frame it is what the page shows beside its own text. */
const WIDE = document.body.classList.contains("embedded") ? 1200 : 900;
/** A layer with a colour of its own for each feature lists up to so many of them. */
const MAX_LISTED = 16;

function swatch(description) {
  const { style } = description;
  const shape = style.cluster ? "dot" : style.by ? style.symbol : { line: "line", area: "area" }[style.symbol] ?? "ring";
  const made = element("span", { class: `swatch ${shape}`, "aria-hidden": "true" });
  made.style.setProperty("--c", style.colour);
  return made;
}

/** Counts the loaded features by the value that decides on their look. */
function tally(layer) {
  const counts = new Map();
  for (const { properties } of layer.features.values()) {
    const value = properties[layer.description.style.by];
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

function byValue(layer) {
  const { style, demo } = layer.description;
  const counts = tally(layer);
  // Tiles hold parts of a layer only, so they can't be counted.
  const rows = Object.entries(style.labels)
    .filter(([value]) => (layer.tiled ? style.values[value] : counts.has(value)))
    .map(([value, label]) => {
      const mark = badge(style, colourOf(style, { [style.by]: value }), style.values[value]?.symbol, demo);
      return element("li", {}, mark, element("span", { dir: "auto" }, label), layer.tiled ? null : element("span", { class: "count" }, number(counts.get(value))));
    });
  return rows;
}

function byFeature(layer) {
  const { style } = layer.description;
  return [...layer.features.values()].slice(0, MAX_LISTED).map((feature) => {
    const mark = element("span", { class: "swatch line", "aria-hidden": "true" });
    mark.style.setProperty("--c", colourOf(style, feature.properties));
    return element("li", {}, mark, nameElement(nameOf(feature.properties)));
  });
}

export const Panel = L.Control.Layers.extend({
  _initLayout() {
    this._container = element("section", { class: "panel leaflet-control", "aria-label": t("panel") });
    L.DomEvent.disableClickPropagation(this._container);
    // Two taps on the panel must not be taken for a double tap on the map.
    L.DomEvent.on(this._container, "click", L.DomEvent.stopPropagation);
    L.DomEvent.disableScrollPropagation(this._container);
    this._toggle = element("button", { type: "button", class: "panel-toggle", "aria-controls": "panel-body" }, element("span", { class: "panel-icon", "aria-hidden": "true" }), element("span", {}, t("panel")));
    this._body = element("div", { id: "panel-body", class: "panel-body" });
    // The title is the page's own, so that it is there without the map as well.
    const title = document.querySelector(".map-title");
    this._container.append(...(title ? [title] : []), this._toggle, this._body);
    this._toggle.addEventListener("click", () => this._open(this._toggle.getAttribute("aria-expanded") !== "true"));
    this._container.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this._map.getContainer().clientWidth < WIDE && !this._body.hidden) {
        event.stopPropagation();
        this._open(false);
        this._toggle.focus();
      }
    });
    this._container.control = this;
    this._rows = new Map();
    this._open(this._map.getContainer().clientWidth >= WIDE);
  },

  _open(open) {
    this._body.hidden = !open;
    this._container.classList.toggle("open", open);
    this._toggle.setAttribute("aria-expanded", String(open));
  },

  /** Leaflet calls this when a layer comes or goes: the rows are made once, then only brought up to date. */
  _update() {
    if (!this._container) return this;
    // The layer drawn on top stands first.
    for (const { layer } of [...this._layers].reverse()) {
      if (!this._rows.has(layer)) this._rows.set(layer, this._makeRow(layer));
      this._rows.get(layer).input.checked = this._map.hasLayer(layer);
    }
    return this;
  },

  _checkDisabledLayers() {},

  /** Says at the end what readers must know of the layers, and where the other maps are. */
  addNotices() {
    const noted = [...this._rows.keys()].map((layer) => layer.description).filter(({ notice }) => notice);
    const texts = noted.flatMap(({ title, notice }) => [element("dt", { dir: "auto" }, title), element("dd", { dir: "auto" }, notice)]);
    if (texts.length) this._body.append(element("details", { class: "notices" }, element("summary", {}, t("about-layers")), element("dl", {}, ...texts)));
    if (mapsAddress) this._body.append(element("a", { class: "all-maps", href: mapsAddress }, t("all-maps")));
  },

  _theme({ theme, themeTitle }) {
    const found = this._body.querySelector(`[data-theme="${CSS.escape(theme)}"]`);
    if (found) return found;
    const made = element("fieldset", { "data-theme": theme }, element("legend", {}, themeTitle));
    this._body.append(made);
    return made;
  },

  _makeRow(layer) {
    const { description } = layer;
    const input = element("input", { type: "checkbox" });
    const count = element("span", { class: "count" });
    const demo = description.demo ? element("span", { class: "badge", "data-kind": "demo" }, t("demo")) : null;
    const label = element("label", {}, input, swatch(description), element("span", { class: "layer-title", dir: "auto" }, description.title), demo, count);
    const state = element("div", { class: "layer-state" });
    const legend = element("div", { class: "legend" });
    const holder = element("div", { class: "layer", "data-layer": description.id }, label, state, legend);
    input.addEventListener("change", () => {
      if (input.checked) this._map.addLayer(layer);
      else this._map.removeLayer(layer);
    });
    layer.on("state", () => this._showState(layer));
    this._theme(description).append(holder);
    const row = { input, count, state, legend, holder };
    this._rows.set(layer, row);
    this._showState(layer);
    return row;
  },

  _showState(layer) {
    const { count, state, legend, holder } = this._rows.get(layer);
    holder.dataset.state = layer.state;
    const counted = layer.counted();
    count.textContent = counted === null ? "" : number(counted);
    state.replaceChildren();
    if (layer.state === "failed") {
      const retry = element("button", { type: "button", class: "link-button" }, t("retry"));
      retry.addEventListener("click", () => layer.load());
      state.append(element("span", { class: "card-error" }, t("failed-short")), retry);
    }
    if (layer.state === "failed" && !layer.tiled) legend.replaceChildren();
    if (layer.state !== "ready") return;
    if (layer.cut) state.append(t("cut", { count: layer.features.size }));
    legend.replaceChildren(...this._legend(layer), ...(layer.tiled ? [element("a", { class: "in-list", href: layer.list() }, t("in-list"))] : []));
  },

  _legend(layer) {
    const { style } = layer.description;
    const rows = style.by ? byValue(layer) : style.colourField ? byFeature(layer) : [];
    if (rows.length > 8) return [element("details", {}, element("summary", {}, t("legend-kinds", { count: rows.length })), element("ul", {}, ...rows))];
    return rows.length ? [element("ul", { class: style.colourField ? "columns" : "" }, ...rows)] : [];
  },

  /** Returns how many pixels of the map's width the open panel takes, and on which side. */
  covered() {
    const width = this._body.hidden || this._map.getContainer().clientWidth < WIDE ? 0 : this._container.offsetWidth + 12;
    return rtl ? { left: 0, right: width } : { left: width, right: 0 };
  },
});
