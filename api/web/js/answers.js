// Asks the service for JSON. A map that was written to a file has the answers in it, and asks nobody.

const block = document.getElementById("casamaps-answers");
const kept = block ? JSON.parse(block.textContent) : null;

/** Returns what of a kept collection there is in a time (a date or an interval of dates), as the service would answer. */
function within(collection, when) {
  const [from, to = from] = when.split("/");
  const [start, end] = collection.temporal;
  const day = (feature, name) => feature.properties[name]?.slice(0, from.length);
  const there = (feature) => (day(feature, start) ?? from) <= to && (day(feature, end) ?? from) >= from;
  return { ...collection, features: collection.features.filter(there) };
}

function found(address) {
  const [plain, when] = address.split("&datetime=");
  if (!(plain in kept)) throw new Error("HTTP 404");
  return when ? within(kept[plain], decodeURIComponent(when)) : kept[plain];
}

/** Returns what stands at an address; an error has the status in its message. */
export async function ask(address, options = {}) {
  if (kept) return found(address);
  const response = await fetch(address, options);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}
