// Texts of the page's language, handed over by the page as a JSON data block; nothing visible is written in this code.

const data = JSON.parse(document.getElementById("casamaps-data").textContent);

export const lang = data.lang;
/** Path prefix of the service. */
export const { base } = data;
/** Where the page's address has the map begin, as [west, south, east, north]; none where it is as the map says. */
export const begin = data.extent;
/** Where the map stands in text. */
export const listAddress = data.list;
/** The filters of layers by their ids, and what is said of them, where the page's address has the map show a part. */
export const filters = data.filters ?? {};
export const whole = data.narrowed;
/** Where the other maps are. */
export const mapsAddress = data.maps;
/** The city's time zone: whose day it is today, wherever the reader is. */
export const { zone } = data;
export const rtl = document.documentElement.dir === "rtl";
export const reducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

// Morocco writes Western digits in Arabic too.
const locale = lang === "ar" ? "ar-MA-u-nu-latn" : "fr-MA";
const numbers = new Intl.NumberFormat(locale);
const plurals = new Intl.PluralRules(lang);

export const number = (value) => numbers.format(value);

/** What stands between the parts of an enumeration. */
export const comma = rtl ? "، " : ", ";

/** Writes a number with so many decimals at most. */
export const rounded = (value, decimals) => new Intl.NumberFormat(locale, { maximumFractionDigits: decimals }).format(value);

/** Writes a day or, given `{ year: "numeric", month: "long" }`, a month; a month's first day is an ordinal in French. */
export const date = (value, form = { dateStyle: "long" }) => {
  const written = new Intl.DateTimeFormat(locale, form).format(value);
  return lang === "fr" ? written.replace(/(?<!\d)1 (?=\p{L})/u, "1er ") : written;
};

/** Returns a text of the catalogue with its {placeholders} filled; plural forms go by the parameter count. */
export function t(key, params = {}) {
  let text = data.texts[key];
  if (typeof text === "object") text = text[plurals.select(params.count)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = params[name];
    return typeof value === "number" ? number(value) : value;
  });
}

/** Returns a feature's name in the page's language, or in the other one, and the language that it is in. */
export function nameOf(properties) {
  const other = lang === "ar" ? "fr" : "ar";
  const own = properties[`name_${lang}`];
  if (own) return { text: String(own), lang };
  const foreign = properties[`name_${other}`];
  return foreign ? { text: String(foreign), lang: other } : { text: t("unnamed"), lang };
}

/** Makes an element; strings among the children become text nodes, never HTML. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Makes the round button that closes something. */
export function closer(close, label = t("close")) {
  const made = element("button", { type: "button", class: "icon-button close", "aria-label": label, title: label });
  made.addEventListener("click", close);
  return made;
}

/** Tells the style sheet the height of what stands at the map's lower edge, so that nothing is laid over it. */
export function tellHeight(node, name) {
  const area = document.querySelector(".map-area");
  const tell = ([entry]) => area.style.setProperty(`--${name}`, `${Math.ceil(entry.borderBoxSize[0].blockSize)}px`);
  new ResizeObserver(tell).observe(node);
}

/** Writes a length, given in metres, with at most two decimals. */
export const length = (metres) => (metres < 1000 ? t("measure.m", { value: rounded(metres, 0) }) : t("measure.km", { value: rounded(metres / 1000, 2) }));

/** Makes a span with a name in its own language and direction. */
export const nameElement = (name, tag = "span") => element(tag, { lang: name.lang, dir: "auto" }, name.text);
