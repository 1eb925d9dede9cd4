// The link to the list of what the map shows follows the view, the layers, the filter and the open card.

const DIGITS = 5;

/** Writes the map's state into the link: the box that is seen, the filter, and what the address already has. */
function follow(link, map, filter) {
  const address = new URL(link.href);
  const state = new URLSearchParams(window.location.hash.slice(1));
  const asked = new URLSearchParams(window.location.search);
  const bounds = map.getBounds();
  const corners = [Math.max(bounds.getWest(), -180), Math.max(bounds.getSouth(), -85), Math.min(bounds.getEast(), 180), Math.min(bounds.getNorth(), 85)];
  const { lat, lng } = map.getCenter();
  const zoom = Math.round(map.getZoom() * 100) / 100;
  const told = {
    bbox: corners.map((side) => side.toFixed(DIGITS)).join(","),
    view: `${zoom}/${lat.toFixed(DIGITS)}/${lng.toFixed(DIGITS)}`,
    layers: state.get("layers") ?? asked.get("layers"),
    select: state.get("select"),
    time: state.get("time") ?? asked.get("time"),
    filter: filter === undefined ? address.searchParams.get("filter") : filter,
  };
  for (const [name, value] of Object.entries(told)) {
    // No layers at all are something else than those that the map begins with.
    if (value || (name === "layers" && value === "")) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  link.href = address.href;
}

const link = document.getElementById("list-link");
if (link) {
  L.Map.addInitHook(function start() {
    // What follows the map writes its state into the address first.
    this.on("moveend layeradd layerremove select time address narrow", ({ filter }) => window.setTimeout(() => follow(link, this, filter)));
  });
}
