// The service worker: keeps the map's files and what was seen last, to be read without network. `told` stands before it.
/* global told, self, caches */

const SHELL = `shell-${told.version}`;
// Pages name the files of their version, so they go when these go: nobody gets an old page after an update.
const PAGES = `pages-${told.version}`;
const SEEN = "seen";
/** Answers that are kept, at most: tiles, features and cards. */
const MOST = 400;
const path = (address) => new URL(address).pathname.slice(told.base.length);
const isData = (name) => /^(collections\/[^/]+\/(items|tiles)\b|tiles\/|maps\/[^/]+\.js$)/.test(name);
const isMap = (name) => name === "" || /^maps\/[^/]+$/.test(name);

async function install() {
  await (await caches.open(SHELL)).addAll(told.shell);
  const pages = await caches.open(PAGES);
  // The pages to start with, and the scripts that draw them; without them the installation still holds.
  await Promise.all(told.start.map(async (address) => {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (answer.ok) await pages.put(address, answer);
  })).catch(() => {});
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
    const found = await caches.match(request.url, { ignoreVary: true });
    if (!found) throw error;
    await tell(event.clientId, found.headers.get("date"));
    return found;
  }
}

/** Returns the kept page that is nearest to one: the same map in the same language, else the page to start with. */
async function nearest(pages, asked) {
  const lang = (address) => new URL(address).searchParams.get("lang");
  const kept = (await pages.keys()).map(({ url }) => url);
  const same = kept.filter((one) => path(one) === path(asked));
  const start = kept.filter((one) => path(one) === "");
  for (const found of [same, start]) {
    const best = found.find((one) => one === asked) ?? found.find((one) => lang(one) === lang(asked)) ?? found.at(-1);
    if (best) return pages.match(best, { ignoreVary: true });
  }
  return null;
}

/** Pages of maps: as they are now, else as they were. */
async function page(event) {
  const { request } = event;
  const pages = await caches.open(PAGES);
  try {
    const answer = await fetch(request);
    if (answer.ok && !answer.redirected) event.waitUntil(pages.put(request.url, answer.clone()));
    return answer;
  } catch (error) {
    const found = await nearest(pages, request.url);
    if (!found) throw error;
    return found;
  }
}

/** Keeps what a page had seen before there was a worker. */
async function remember({ page: address, seen = [] }) {
  const ours = (one) => one.startsWith(self.location.origin) && new URL(one).pathname.startsWith(told.base);
  const answer = ours(address) && isMap(path(address)) ? await fetch(address, { headers: { Accept: "text/html" } }) : null;
  if (answer?.ok) await (await caches.open(PAGES)).put(address, answer);
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
  else if (request.mode === "navigate" && isMap(name)) event.respondWith(page(event));
  else if (isData(name)) event.respondWith(data(event));
});
