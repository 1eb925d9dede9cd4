// Tooltips stay within the map: moved aside at its left and right edges, below their mark at its upper one and under a notice.

/** Pixels between a tooltip and the map's edge, and of its arrow, which stays on the tooltip's straight part. */
const [EDGE, CORNER] = [6, 14];

/** What lies over the map above its marks and words. */
const OVER = ".map-alert, .panel";

/** Tells whether something that lies over the map covers a part of a node. */
export function isCovered(node) {
  const own = node.getBoundingClientRect();
  return [...document.querySelectorAll(OVER)].map((one) => one.getBoundingClientRect()).some(
    ({ left, right, top, bottom }) => left < own.right && right > own.left && top < own.bottom && bottom > own.top,
  );
}

/** Has all tooltips stay within the map. */
export function keepTips() {
  const { _setPosition: place, getEvents: events } = L.Tooltip.prototype;
  L.Tooltip.include({
    /** Places a tooltip as Leaflet does, then as far aside or down as it takes to be whole. */
    _setPosition(at) {
      const box = this._container;
      box.style.removeProperty("--aside");
      const { direction } = this.options;
      place.call(this, at);
      if (direction !== "top" && direction !== "bottom") return;
      const size = this._map.getSize();
      const corner = () => this._map.layerPointToContainerPoint(L.DomUtil.getPosition(box));
      if (direction === "top" && this._map.layerPointToContainerPoint(at).y < size.y / 2 && (corner().y < EDGE || isCovered(box))) {
        const { offset } = this.options;
        // Leaflet has the arrow's room as margins of what stands above or below.
        Object.assign(this.options, { direction: "bottom", offset: L.point(offset).multiplyBy(-1) });
        place.call(this, at);
        Object.assign(this.options, { direction, offset });
      }
      const { x, y } = corner();
      const width = box.offsetWidth;
      const aside = Math.round(Math.max(EDGE - x, Math.min(0, size.x - EDGE - width - x)));
      if (!aside) return;
      L.DomUtil.setPosition(box, this._map.containerPointToLayerPoint([x + aside, y]));
      const most = width / 2 - CORNER;
      box.style.setProperty("--aside", `${Math.max(-most, Math.min(most, -aside))}px`);
    },

    /** What has moved with the map may be at its edge now. */
    getEvents() {
      return { ...events.call(this), moveend: this._updatePosition };
    },
  });
}
