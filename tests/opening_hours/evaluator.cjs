// Evaluates opening hours by opening_hours.js: {folder, country, values, instants} on the standard input, and on the
// output, for each value, a letter for each instant (open, closed, unknown), or null where it does not parse.
const { readFileSync } = require("node:fs");

const given = JSON.parse(readFileSync(0, "utf8"));
const OpeningHours = require(given.folder);
const place = { lat: given.lat, lon: given.lon, address: { country_code: given.country, state: "" } };

function evaluate(value) {
  let hours;
  try {
    hours = new OpeningHours(value, place, { locale: "en" });
    return given.instants
      .map((instant) => new Date(instant))
      .map((at) => (hours.getUnknown(at) ? "u" : hours.getState(at) ? "o" : "c"))
      .join("");
  } catch {
    return null;
  }
}

process.stdout.write(JSON.stringify(given.values.map(evaluate)));
