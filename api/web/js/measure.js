// Measures distances and areas, by pointer or, with points set at the map's centre, by keyboard.

import { element, length, rounded, t } from "./texts.js";
import { openBox } from "./tools.js";

/** Mean radius of the earth in metres, as Leaflet's distances have it. */
const RADIUS = 6_371_000;
const COLOUR = "#c2410c";
let close = null;

export function surface(metres) {
  if (metres < 10_000) return t("measure.m2", { value: rounded(metres, 0) });
  return metres < 1_000_000 ? t("measure.ha", { value: rounded(metres / 10_000, 2) }) : t("measure.km2", { value: rounded(metres / 1_000_000, 2) });
}

/** Returns the area of a ring on the sphere, in square metres. */
export function areaOf(ring) {
  const radians = Math.PI / 180;
  const sum = ring.reduce((total, point, index) => {
    const next = ring[(index + 1) % ring.length];
    return total + (next.lng - point.lng) * radians * (2 + Math.sin(point.lat * radians) + Math.sin(next.lat * radians));
  }, 0);
  return Math.abs((sum * RADIUS * RADIUS) / 2);
}

export function start(map, button) {
  if (close) return close();
  const points = [];
  const drawn = L.layerGroup().addTo(map);
  const result = element("dl", { class: "measured" });
  const cross = element("div", { class: "measure-cross", "aria-hidden": "true" });
  const acts = { add: () => points.push(map.getCenter()), undo: () => points.pop(), clear: () => points.splice(0) };
  const buttons = Object.entries(acts).map(([name, act]) => {
    const made = element("button", { type: "button", class: name === "add" ? "button" : "button quiet" }, t(`measure.${name}`));
    made.addEventListener("click", () => {
      act();
      drawn.fire("changed");
      if (made.disabled) made.parentElement.firstElementChild.focus();
    });
    return made;
  });
  const show = () => {
    drawn.clearLayers();
    const style = { color: COLOUR, weight: 3, interactive: false, className: "measure-line", pane: "markerPane" };
    if (points.length > 2) drawn.addLayer(L.polygon(points, { ...style, fillOpacity: 0.15 }));
    else drawn.addLayer(L.polyline(points, style));
    for (const point of points) drawn.addLayer(L.circleMarker(point, { ...style, radius: 4, fill: true, fillColor: "#fff", fillOpacity: 1 }));
    const metres = points.slice(1).reduce((sum, point, index) => sum + map.distance(points[index], point), 0);
    const rows = [[t("measure.distance"), length(metres)]];
    if (points.length > 2) rows.push([t("measure.area"), surface(areaOf(points))]);
    result.replaceChildren(...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, element("bdi", {}, value))]));
    for (const other of buttons.slice(1)) other.disabled = !points.length;
  };
  drawn.on("changed", show);
  const pick = (event) => {
    if (event.target.closest(".leaflet-control-container") || map.dragging.moved()) return;
    event.stopPropagation();
    points.push(map.mouseEventToLatLng(event));
    show();
  };
  const container = map.getContainer();
  const content = [element("p", {}, t("measure.help")), element("div", { class: "tool-buttons" }, ...buttons), element("div", { role: "status" }, result)];
  map.measuring = true;
  container.addEventListener("click", pick, true);
  container.classList.add("measuring");
  container.append(cross);
  map.doubleClickZoom.disable();
  close = openBox(button, t("tool.measure"), content, () => {
    close = null;
    map.measuring = false;
    container.removeEventListener("click", pick, true);
    container.classList.remove("measuring");
    map.doubleClickZoom.enable();
    cross.remove();
    drawn.remove();
  });
  show();
  return close;
}
