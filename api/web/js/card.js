// The card of a feature: beside the map on wide screens, a sheet at the bottom on phones. All of it is text, never HTML.

import { ask } from "./answers.js";
import { sentSince } from "./flight.js";
import { closer, element, lang, nameElement, nameOf, t } from "./texts.js";

const sheet = document.getElementById("card");
let current = null;

/** Only addresses that can't run anything become links. */
const isSafe = (href) => /^(https?:\/\/|tel:|mailto:|\/(?!\/))/i.test(href);

const link = (href, text, attributes = {}) => (isSafe(href) ? element("a", { href, ...attributes }, text) : element("span", {}, text));

/** Tells whether the focus may move: a map in a frame does not take it from the page around. */
const mayFocus = () => window.parent === window || document.hasFocus();

/**
 * Opens the card of a feature; the focus goes to its heading and comes back when it closes. `sent` tells whether the map has
 * been sent elsewhere since the card was asked for.
 */
export function openCard(layer, feature, latlng, origin, sent = sentSince()) {
  if (current) leave(current);
  const opened = { layer, feature, id: String(feature.id), origin, latlng, sent, abort: new AbortController() };
  opened.follow = () => noteTime(opened);
  layer.on("state", opened.follow);
  current = opened;
  layer.select(opened.id, true);
  layer._map?.fire("select", { key: `${layer.description.id}/${opened.id}` });
  show(opened, head(nameOf(feature.properties), layer.description.title), element("p", { class: "card-wait", role: "status" }, t("card.loading")));
  noteTime(opened);
  sheet.hidden = false;
  document.body.classList.add("card-open");
  if (mayFocus()) document.getElementById("card-title").focus({ preventScroll: true });
  fill(opened);
}

async function fill(opened) {
  const { description } = opened.layer;
  const address = `${description.feature}/${encodeURIComponent(opened.id)}/card?lang=${lang}${description.card === null ? "" : `&properties=${description.card}`}`;
  try {
    const card = await ask(address, { signal: opened.abort.signal, headers: { Accept: "application/json" } });
    if (current !== opened) return;
    show(opened, head({ text: card.title, lang: card.title_lang }, card.layer.title, card), body(card));
    noteTime(opened);
  } catch (error) {
    if (error.name !== "AbortError" && current === opened) showFailure(opened);
  }
  if (current === opened) opened.layer._map?.fire("card", { latlng: opened.latlng, sent: opened.sent });
}

function showFailure(opened) {
  const retry = element("button", { type: "button", class: "button" }, t("retry"));
  retry.addEventListener("click", () => {
    document.getElementById("card-title").focus();
    fill(opened);
  });
  const text = navigator.onLine ? t("card.failed") : t("card.offline");
  sheet.querySelector(".card-body").replaceChildren(element("p", { class: "card-error", role: "alert" }, text), retry);
}

/** Says of a feature that the map doesn't show, as it is of another time, that it doesn't, with the way to its time. */
function noteTime({ layer, feature, id }) {
  if (!layer.isOfAnotherTime || layer.state === "loading") return;
  const before = sheet.querySelector(".card-away");
  const held = before?.contains(document.activeElement);
  before?.remove();
  if (layer.isOfAnotherTime(id)) {
    const go = element("button", { type: "button", class: "button" }, t("card.to-time"));
    go.addEventListener("click", () => layer._map?.fire("time-of", { layer, feature }));
    sheet.querySelector(".card-body").prepend(element("div", { class: "notice card-away" }, element("p", {}, t("card.away")), go));
    if (held) go.focus();
    return;
  }
  // What has been drawn anew is marked anew.
  layer.select(id, true);
  if (held) document.getElementById("card-title").focus();
}

/** Puts the parts in; the heading stays the same element, so that it keeps the focus. */
function show(opened, header, content) {
  const before = sheet.querySelector(".card-head");
  const scroller = element("div", { class: "card-body" }, content);
  if (before?.dataset.feature === opened.id) {
    const title = document.getElementById("card-title");
    const fresh = header.querySelector("#card-title");
    title.replaceChildren(...fresh.childNodes);
    title.lang = fresh.lang;
    fresh.replaceWith(title);
    before.replaceChildren(...header.childNodes);
    sheet.querySelector(".card-body").replaceWith(scroller);
    if (document.activeElement === document.body && mayFocus()) title.focus({ preventScroll: true });
    return;
  }
  header.dataset.feature = opened.id;
  sheet.replaceChildren(header, scroller);
}

function head(name, layerTitle, card = null) {
  const title = nameElement(name, "h2");
  title.id = "card-title";
  title.tabIndex = -1;
  const badges = (card?.badges ?? []).map((item) => element("span", { class: "badge", "data-kind": item.kind, "data-value": item.value }, item.text));
  return element(
    "header",
    { class: "card-head" },
    element("div", { class: "card-titles" },
      element("p", { class: "kicker" }, layerTitle),
      title,
      card?.alternate ? nameElement({ text: card.alternate, lang: card.title_lang === "ar" ? "fr" : "ar" }, "p") : null,
      card?.subtitle || badges.length ? element("p", { class: "card-kind" }, card.subtitle ? element("span", { dir: "auto" }, card.subtitle) : null, ...badges) : null),
    closer(closeCard, t("card.close")),
  );
}

/** Returns the buttons: the way there, and the telephone. */
function actions(card) {
  const found = card.links.filter((item) => item.rel === "directions" && isSafe(item.href)).map((item) => link(item.href, item.text, { class: "button", rel: "noopener external" }));
  const phone = card.rows.find((row) => row.kind === "phone" && row.href);
  if (phone) found.push(link(phone.href, element("bdi", { dir: "ltr" }, phone.value), { class: "button quiet", "aria-label": `${phone.label} ${phone.value}` }));
  return found;
}

function body(card) {
  const made = document.createDocumentFragment();
  const notice = card.notice ? element("p", { class: "notice", dir: "auto" }, card.notice) : null;
  // That a thing is an example must be read first; how good the data are may come last.
  const first = card.badges.some((item) => item.kind === "demo");
  if (notice && first) made.append(notice);
  const buttons = actions(card);
  if (buttons.length) made.append(element("p", { class: "card-actions" }, ...buttons));
  const list = element("dl");
  for (const row of card.rows) list.append(element("dt", { dir: "auto" }, row.label), element("dd", {}, row.note ? element("p", { class: "validity" }, row.note) : null, value(row)));
  if (card.rows.length) made.append(list);
  for (const item of card.links) if (item.rel === "canonical") made.append(element("p", { class: "card-page" }, link(`${item.href}?lang=${lang}`, item.text)));
  if (notice && !first) made.append(notice);
  const source = [card.source, card.attribution].filter(Boolean);
  made.append(element("p", { class: "meta" }, ...source.flatMap((text, index) => [index ? " · " : "", element("bdi", {}, text)])));
  return made;
}

function value(row) {
  const items = row.values ?? [];
  const one = (item) => (item.href ? link(item.href, element("bdi", { dir: row.dir }, item.text)) : element("bdi", { dir: row.dir }, item.text));
  if (row.kind === "list" && items.length > 6) {
    return element("details", {}, element("summary", {}, row.value), element("ul", {}, ...items.map((item) => element("li", {}, one(item)))));
  }
  if (items.length > 1 || row.kind === "list") return element("ul", {}, ...items.map((item) => element("li", {}, one(item))));
  const only = items[0] ?? { text: row.value, href: row.href };
  const made = one({ text: only.text, href: only.href ?? row.href });
  if (row.known === false) made.classList.add("unknown");
  return made;
}

function leave(opened) {
  opened.abort.abort();
  opened.layer.off("state", opened.follow);
  opened.layer.select(opened.id, false);
}

/** Closes the card and gives the focus back to where it came from. */
export function closeCard() {
  if (!current) return false;
  const { layer, id, origin } = current;
  leave(current);
  current = null;
  layer._map?.fire("select", { key: null });
  sheet.hidden = true;
  sheet.replaceChildren();
  document.body.classList.remove("card-open");
  const back = layer.elementOf(id) ?? (origin?.isConnected ? origin : null);
  if (mayFocus()) (back ?? document.querySelector(".map"))?.focus({ preventScroll: true });
  return true;
}

export const cardBox = () => (sheet.hidden ? null : sheet.getBoundingClientRect());
