// What was chosen in the search box, shown on the map: there, with its card open.

import { openCard } from "./card.js";

/** Zoom at which a single place is shown. */
const NEAR = 16;

/** Room for the panel and the card: beside the map, or below it on phones. */
function room(map) {
  const { x, y } = map.getSize();
  const side = x < 700 ? 20 : Math.min(390, x * 0.3);
  return { paddingTopLeft: [side, 40], paddingBottomRight: [side, x < 700 ? y * 0.58 + 20 : 60] };
}

/** Returns once a layer's features are there, or could not be fetched. */
const settled = (layer) => new Promise((resolve) => {
  const look = () => {
    if (layer.state !== "ready" && layer.state !== "failed") return;
    layer.off("state", look);
    resolve();
  };
  layer.on("state", look);
  look();
});

async function show(map, layer, found, origin) {
  if (!map.hasLayer(layer)) map.addLayer(layer);
  await settled(layer);
  const feature = layer.features.get(String(found.id));
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
