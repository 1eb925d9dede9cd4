// The service worker: keeps the map's files and what was seen last, to be read without network. `told` stands before it.
/* global told, self, caches, Response */

const SHELL = `shell-${told.version}`;
// Pages name the files of their version, so they go when these go: nobody gets an old page after an update.
const PAGES = `pages-${told.version}`;
const SEEN = "seen";
/** Answers that are kept, at most: tiles, features and cards. */
const MOST = 400;
/** Pages that are kept beside those to start with. */
const MOST_PAGES = 60;
/** A page is one whatever part of it is asked for. */
const plain = (address) => address.split("#")[0];
const path = (address) => new URL(address).pathname.slice(told.base.length);
const isData = (name) => /^(collections\/[^/]+\/(items|tiles)\b|tiles\/|maps\/[^/]+\.js$)/.test(name);
const isMap = (name) => name === "" || /^maps\/[^/]+$/.test(name);
const isList = (name) => /^maps\/[^/]+\/list$/.test(name);

async function install() {
  const shell = await caches.open(SHELL);
  await shell.addAll(told.shell);
  // The page to start with, in each language, and what its map is made of; without them the installation still holds.
  // They stand apart from what was seen, which others may push out.
  await shell.addAll(told.needs).catch(() => {});
  await Promise.all(told.start.map((address) => keepPage(address))).catch(() => {});
  await self.skipWaiting();
}

async function activate() {
  for (const name of await caches.keys()) if (![SHELL, PAGES, SEEN].includes(name)) await caches.delete(name);
  await self.clients.claim();
}

async function keep(request, answer) {
  const seen = await caches.open(SEEN);
  await seen.put(request.url, answer);
  const keys = await seen.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - MOST)).map((key) => seen.delete(key)));
}

/** Keeps a page as it is now; addresses of maps give other things than pages, too. */
async function keepPage(address, given = null) {
  const answer = given ?? await fetch(address, { headers: { Accept: "text/html" } });
  const isPage = (answer.headers.get("content-type") ?? "").startsWith("text/html");
  if (!answer.ok || answer.redirected || !isPage) return;
  const pages = await caches.open(PAGES);
  await pages.put(address, answer);
  const begun = told.start.map((one) => new URL(one, self.location.href).href);
  const keys = (await pages.keys()).filter(({ url }) => !begun.includes(url));
  await Promise.all(keys.slice(0, Math.max(0, keys.length - MOST_PAGES)).map((key) => pages.delete(key)));
}

/** Tells the page that what it shows is not of now, but of when it was seen. */
async function tell(id, when) {
  const client = await self.clients.get(id);
  client?.postMessage({ kept: when });
}

/** Files of this version: as they are kept; those that only some maps need are kept from their first use. */
async function file(event) {
  const { request } = event;
  const found = await caches.match(request.url, { ignoreVary: true });
  if (found) return found;
  const answer = await fetch(request);
  const copy = answer.clone();
  if (answer.ok) event.waitUntil(caches.open(SHELL).then((shell) => shell.put(request.url, copy)));
  return answer;
}

async function data(event) {
  const { request } = event;
  try {
    const answer = await fetch(request);
    if (answer.ok) event.waitUntil(keep(request, answer.clone()));
    return answer;
  } catch (error) {
    // What was seen is newer than what was kept to start with.
    const found = await caches.match(request.url, { ignoreVary: true, cacheName: SEEN }) ?? await caches.match(request.url, { ignoreVary: true });
    if (!found) throw error;
    await tell(event.clientId, found.headers.get("date"));
    return found;
  }
}

const parameter = (address, name) => new URL(address).searchParams.get(name);
/** What of a map's features a page shows: another part is another map. */
const partOf = (address) => ["district", "filter"].map((name) => parameter(address, name) ?? "").join(" ");
const mapOf = (address) => path(address).replace(/^maps\//, "") || told.first;

/** Returns the language of an address that names none: the first of the reader's that there is. */
function usual() {
  const codes = self.navigator.languages.map((one) => one.toLowerCase().split("-")[0]);
  return codes.find((one) => Object.hasOwn(told.missing, one)) ?? Object.keys(told.missing)[0];
}

/** Returns the language in which an address is asked for. */
function languageOf(address) {
  const asked = parameter(address, "lang");
  return Object.hasOwn(told.missing, asked ?? "") ? asked : usual();
}

/** Returns the pages that are kept, with the scripts that draw their maps: without one a page stays empty. */
async function kept() {
  const pages = await caches.open(PAGES);
  const found = await Promise.all((await pages.keys()).map(async ({ url }) => {
    const answer = await pages.match(url, { ignoreVary: true });
    const lang = answer?.headers.get("content-language");
    // A list needs nothing else, and is of its own view only.
    if (isList(path(url))) return answer ? { url, lang, list: true, map: path(url), part: "", answer } : null;
    const drawn = await caches.match(`${told.base}maps/${mapOf(url)}.js?lang=${lang}`, { ignoreVary: true });
    return answer && drawn ? { url, lang, map: mapOf(url), part: partOf(url), answer } : null;
  }));
  return found.filter(Boolean);
}

/** Returns the kept page of a map in the language that is asked for; null where there is none. */
function nearest(found, asked) {
  const lang = languageOf(asked);
  const part = partOf(asked);
  const same = found.filter((one) => !one.list && one.map === mapOf(asked) && one.lang === lang);
  return same.find((one) => one.url === asked) ?? same.findLast((one) => one.part === part) ?? null;
}

/** Says that a map was not seen before, and which were; their titles are taken as the pages have written them. */
async function missing(found, asked) {
  const lang = languageOf(asked);
  const links = new Map();
  for (const one of found.filter(({ part }) => !part.trim()).sort((a, b) => (b.lang === lang) - (a.lang === lang))) {
    const title = /<title>([^<]*)<\/title>/.exec(await one.answer.text())?.[1].split(" – ")[0];
    const address = one.map === told.first ? told.base : `${told.base}maps/${one.map}`;
    const href = one.list ? one.url : `${address}?lang=${one.lang}`;
    if (title) links.set(`${address} ${one.lang}`, `<li><a href="${href.replaceAll("&", "&amp;")}" hreflang="${one.lang}" lang="${one.lang}" dir="auto">${title}</a></li>`);
  }
  const body = told.missing[lang].replace("<li></li>", () => [...links.values()].join(""));
  return new Response(body, { status: 503, headers: { "Content-Type": "text/html; charset=utf-8", "Content-Language": lang, "Content-Security-Policy": told.policy } });
}

/**
 * Pages: as they are now, else as they were: of maps the nearest, never another map's; of lists, which say of when they
 * are, that of the same view; of data what was seen. What was not seen is said to be missing.
 */
async function page(event) {
  const { request } = event;
  const name = path(request.url);
  try {
    if (isData(name)) return await data(event);
    const answer = await fetch(request);
    if (isMap(name) || isList(name)) event.waitUntil(keepPage(plain(request.url), answer.clone()));
    return answer;
  } catch {
    const found = await kept();
    const same = isMap(name) ? nearest(found, plain(request.url)) : found.find(({ url }) => url === plain(request.url));
    return same?.answer ?? missing(found, request.url);
  }
}

/** Keeps what a page had seen before there was a worker. */
async function remember({ page: address, seen = [] }) {
  const ours = (one) => one.startsWith(self.location.origin) && new URL(one).pathname.startsWith(told.base);
  if (ours(address) && isMap(path(address))) await keepPage(address);
  for (const one of seen.filter((other) => ours(other) && isData(path(other))).slice(0, 50)) {
    const found = await fetch(one);
    if (found.ok) await keep({ url: one }, found);
  }
}

self.addEventListener("message", (event) => event.waitUntil(remember(event.data).catch(() => {})));
self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin || !address.pathname.startsWith(told.base)) return;
  const name = path(request.url);
  if (name.startsWith(`assets/${told.version}/`)) event.respondWith(file(event));
  else if (request.destination === "document") event.respondWith(page(event));
  else if (isData(name)) event.respondWith(data(event));
});
