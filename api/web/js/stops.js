// What is drawn on a canvas can't have the focus: buttons without a look of their own stand over the features in view, for
// the keyboard and for screen readers. They are made when the map rests; while it moves there is nothing to do.

import { openCard } from "./card.js";
import { spoken, tooltip } from "./draw.js";
import { element, rtl, t } from "./texts.js";

/** Features of a layer that Tab stops at; of more, those nearest to the middle that can be told apart. */
const MOST = 40;
/** Pixels between features that can be told apart. */
const APART = 24;
/** Height of a row of marks that are read one after the other, in pixels. */
const ROW = 48;
/** Pixels around what has the focus that must be clear of the map's edge and of the panel. */
const EDGE = 20;

/** Collects features, of which it keeps all while they are few, else the nearest to the middle of each cell of a grid. */
class Nearest {
  constructor(map) {
    this.middle = map.getSize().divideBy(2);
    this.cells = new Map();
    this.first = [];
    this.count = 0;
  }

  /** Takes a feature at a place, in pixels of the map's container. */
  add(item, at) {
    const away = (at.x - this.middle.x) ** 2 + (at.y - this.middle.y) ** 2;
    const stop = { item, at, away };
    this.count += 1;
    if (this.count <= MOST) this.first.push(stop);
    const cell = `${Math.floor(at.x / APART)},${Math.floor(at.y / APART)}`;
    if (!(this.cells.get(cell)?.away <= away)) this.cells.set(cell, stop);
  }

  /** Returns what Tab stops at, in the order in which one reads. */
  chosen() {
    const near = this.count <= MOST ? this.first : [...this.cells.values()].sort((a, b) => a.away - b.away).slice(0, MOST);
    const row = ({ at }) => Math.round(at.y / ROW);
    return near.sort((a, b) => row(a) - row(b) || (rtl ? b.at.x - a.at.x : a.at.x - b.at.x));
  }
}

/** The stops of one layer. */
export class Stops {
  constructor(layer, map) {
    Object.assign(this, { layer, map, buttons: new Map(), next: null });
    const name = `${layer.options.pane}-stops`;
    const pane = map.getPane(name) ?? map.createPane(name);
    pane.style.zIndex = 620;
    this.group = element("div", { role: "group", "aria-label": layer.description.title });
    pane.append(this.group);
    this.over = L.tooltip({ className: "of-tile", direction: "top", offset: [0, -14], opacity: 1 });
    this.group.addEventListener("focusout", ({ relatedTarget }) => {
      this.over.remove();
      if (this.next && !this.group.contains(relatedTarget)) this.show(...this.next);
    });
    map.on("zoomend viewreset", this.place, this);
  }

  remove() {
    this.map.off("zoomend viewreset", this.place, this);
    this.over.remove();
    this.group.remove();
  }

  /** Begins to choose the features that Tab stops at. */
  nearest() {
    return new Nearest(this.map);
  }

  /** Puts buttons over features, as `Nearest` chose them, of so many; not while one of them has the focus, which would be lost. */
  show(chosen, total) {
    const held = this.group.contains(document.activeElement);
    this.next = held ? [chosen, total] : null;
    if (held) return;
    const before = this.buttons;
    this.buttons = new Map(chosen.map(({ item, at }) => [item.id, before.get(item.id) ?? this.make(item, this.map.containerPointToLatLng(at))]));
    this.group.replaceChildren(...[...this.buttons.values()].map(({ node }) => node));
    const { title } = this.layer.description;
    this.group.setAttribute("aria-label", t(chosen.length < total ? "stops-some" : "stops", { title, count: chosen.length, total }));
    this.place();
  }

  make({ id, properties }, latlng) {
    const { description } = this.layer;
    const feature = { type: "Feature", id, properties };
    const node = element("button", { type: "button", class: "tile-stop visually-hidden", "data-feature": `${description.id}/${id}`, "aria-label": spoken(description, feature) });
    node.addEventListener("click", (event) => {
      event.stopPropagation();
      openCard(this.layer, feature, latlng, node);
    });
    node.addEventListener("focus", () => {
      const { left, right } = this.map.getContainer().querySelector(".panel")?.control.covered() ?? { left: 0, right: 0 };
      this.map.panInside(latlng, { paddingTopLeft: [left + EDGE, EDGE], paddingBottomRight: [right + EDGE, EDGE], animate: false });
      this.over.setLatLng(latlng).setContent(tooltip(description, feature)).addTo(this.map);
    });
    return { node, latlng };
  }

  /** Brings the buttons to where their features are at the zoom of the map. */
  place() {
    for (const { node, latlng } of this.buttons.values()) L.DomUtil.setPosition(node, this.map.latLngToLayerPoint(latlng));
  }

  nodeOf(id) {
    const node = this.buttons.get(id)?.node;
    return node?.isConnected ? node : null;
  }
}
