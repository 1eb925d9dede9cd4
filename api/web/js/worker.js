// The service worker: keeps the map's files and what was seen last, to be read without network. `told` stands before it.
/* global told, self, caches, Response, Headers */

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

async function file(request) {
  const found = await caches.match(request.url, { ignoreVary: true });
  return found ?? fetch(request);
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

/** Pages of maps: as they are now, else as they were, else the page to start with. */
async function page(event) {
  const { request } = event;
  const pages = await caches.open(PAGES);
  try {
    const answer = await fetch(request);
    if (answer.ok && !answer.redirected) event.waitUntil(pages.put(request.url, answer.clone()));
    return answer;
  } catch (error) {
    const lang = new URL(request.url).searchParams.get("lang");
    const found = await pages.match(request.url, { ignoreVary: true }) ?? await pages.match(told.start.find((start) => start.endsWith(`=${lang}`)) ?? told.start[0], { ignoreVary: true });
    if (!found) throw error;
    return found;
  }
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin || !address.pathname.startsWith(told.base)) return;
  const name = path(request.url);
  if (name.startsWith(`assets/${told.version}/`)) event.respondWith(file(request));
  else if (request.mode === "navigate" && isMap(name)) event.respondWith(page(event));
  else if (isData(name)) event.respondWith(data(event));
});
