// Goes through time: shows of the layers that have times what there is on a day or in a month. It starts today.

import { ask } from "./answers.js";
import { date, element, t, tellHeight, zone } from "./texts.js";
import { begun, complain, read, write } from "./view.js";

const DAY = 86_400_000;

// Days are counted in UTC, so that no change of the clock makes one shorter. Sweden writes them as ISO 8601 does.
const today = () => new Date(new Intl.DateTimeFormat("sv", { timeZone: zone }).format());
const iso = (day) => day.toISOString().slice(0, 10);

const UNITS = {
  day: {
    count: (from, to) => Math.round((to - from) / DAY),
    at: (from, index) => new Date(from.getTime() + index * DAY),
    asked: (at) => iso(at),
    written: (at) => date(at, { dateStyle: "long", timeZone: "UTC" }),
  },
  month: {
    count: (from, to) => (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth(),
    at: (from, index) => new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + index, 1)),
    asked: (at) => `${iso(at)}/${iso(new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)))}`,
    written: (at) => date(at, { year: "numeric", month: "long", timeZone: "UTC" }),
  },
};

/** Returns the first and the last day of the layers' features, a year around today where they don't say. */
async function span(layers) {
  const found = await Promise.all(layers.map(async ({ description }) => {
    const collection = await ask(`${description.feature.replace(/\/items$/, "")}?f=json`).catch(() => null);
    return collection?.extent?.temporal?.interval?.[0] ?? [];
  }));
  const days = found.flat().filter(Boolean).map((text) => Date.parse(text.slice(0, 10)));
  const now = today().getTime();
  return [new Date(Math.min(now - 30 * DAY, ...days)), new Date(Math.max(now + 30 * DAY, ...days))];
}

/** Returns the step and the day of the address, today where it has none. */
function addressed() {
  const asked = read("time");
  const found = new Date(asked);
  // The 31st of February would be the 3rd of March.
  if (/^\d{4}-\d\d(-\d\d)?$/.test(asked ?? "") && !Number.isNaN(+found) && iso(found).startsWith(asked)) return [asked.length === 7 ? "month" : "day", found];
  if (asked) complain("time", asked);
  return ["day", today()];
}

export async function start(map, _button, { layers }) {
  const timed = layers.filter(({ description }) => description.times);
  const wanted = today();
  let [unit, at] = addressed();
  // What is shown first is of today, before it is known how far time goes.
  for (const layer of timed) layer.setTime(UNITS[unit].asked(at));
  const [from, to] = await span(timed).catch(() => [new Date(wanted - 365 * DAY), new Date(wanted.getTime() + 365 * DAY)]);

  const range = element("input", { type: "range", id: "time-range", min: 0, step: 1 });
  // The slider says its value itself, and the map's news the time with what there is: here it would be said once more.
  const text = element("output", { for: "time-range", "aria-live": "off" });
  const steps = element("select", { "aria-label": t("time.step") }, ...Object.keys(UNITS).map((name) => element("option", { value: name }, t(`time.${name}`))));
  const now = element("button", { type: "button", class: "button quiet" }, t("time.today"));
  let waiting = 0;

  const written = () => {
    const word = UNITS[unit].written(at);
    return unit === "day" && iso(at) === iso(today()) ? t("time.now", { date: word }) : word;
  };
  const told = () => {
    // What comes of an earlier time is not what the slider says by now.
    if (timed.some((layer) => layer.state === "loading" || layer.when !== UNITS[unit].asked(at))) return;
    const counts = timed.filter((layer) => map.hasLayer(layer)).map((layer) => (layer.state === "ready" ? layer.counted() : null));
    const shown = !counts.length || counts.includes(null) ? "" : ` ${t("time.shown", { count: counts.reduce((sum, count) => sum + count, 0) })}`;
    map.fire("news", { text: `${written()}.${shown}` });
  };
  const apply = () => {
    range.max = UNITS[unit].count(from, to);
    range.value = UNITS[unit].count(from, at);
    steps.value = unit;
    text.value = written();
    range.setAttribute("aria-valuetext", written());
    clearTimeout(waiting);
    // What was to be told is of the time before.
    map.fire("news", { text: "" });
    waiting = setTimeout(() => {
      // Today is what a map begins with, unless its link says another time.
      const isNow = unit === "day" && iso(at) === iso(today()) && !begun("time");
      write("time", isNow ? null : iso(at).slice(0, unit === "month" ? 7 : 10));
      map.fire("time");
      for (const layer of timed) layer.setTime(UNITS[unit].asked(at));
      told();
    }, 200);
  };
  range.addEventListener("input", () => {
    at = UNITS[unit].at(from, Number(range.value));
    apply();
  });
  steps.addEventListener("change", () => {
    unit = steps.value;
    apply();
  });
  now.addEventListener("click", () => {
    [unit, at] = ["day", today()];
    apply();
  });
  map.on("address", () => {
    [unit, at] = addressed();
    apply();
  });
  // The day of a feature that is nearest to the one that is shown.
  map.on("time-of", ({ layer, feature }) => {
    const [first, last] = layer.description.times.map((name) => Date.parse(feature.properties[name]?.slice(0, 10)));
    const day = new Date(Math.min(Math.max(at, first || -Infinity), last || Infinity));
    at = UNITS[unit].at(from, UNITS[unit].count(from, day));
    apply();
  });
  for (const layer of timed) layer.on("state", told);
  const bar = element("section", { class: "time-bar", "aria-label": t("time.label") }, element("div", { class: "time-said" }, element("label", { for: "time-range" }, t("time.label")), text, steps, now, range));
  document.querySelector(".map-area").append(bar);
  tellHeight(bar, "time");
  document.body.classList.add("with-time");
  apply();
}
