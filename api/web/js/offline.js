// Registers the service worker, and says on the map how old it is when what is shown was kept.

import { base, date, element, t } from "./texts.js";

let oldest = Infinity;

function show(when) {
  const at = Date.parse(when ?? "");
  if (Number.isNaN(at) || at >= oldest) return;
  oldest = at;
  const text = t("offline", { date: date(at, { dateStyle: "long", timeStyle: "short" }) });
  document.querySelector(".map-offline")?.remove();
  document.querySelector(".map-alerts").prepend(element("p", { class: "map-alert map-offline", role: "status" }, text));
}

/** Begins to use the worker, where the browser has one and the map is not in another page's frame. */
export function startOffline() {
  if (!("serviceWorker" in navigator) || window.location.protocol === "file:" || document.body.classList.contains("embedded")) return;
  navigator.serviceWorker.addEventListener("message", ({ data }) => data?.kept && show(data.kept));
  navigator.serviceWorker.startMessages();
  // The first visit was there before the worker: it is told what has been seen already.
  if (!navigator.serviceWorker.controller) navigator.serviceWorker.addEventListener("controllerchange", () => {
    const seen = performance.getEntriesByType("resource").map(({ name }) => name);
    navigator.serviceWorker.controller?.postMessage({ page: window.location.href.replace(/#.*/, ""), seen });
  }, { once: true });
  window.addEventListener("online", () => {
    oldest = Infinity;
    document.querySelector(".map-offline")?.remove();
  });
  // After the first view, which it must not slow down.
  const register = () => setTimeout(() => navigator.serviceWorker.register(`${base}/sw.js`, { scope: `${base}/` }).catch((error) => console.warn("offline:", error.message)), 2000);
  if (document.readyState === "complete") register();
  else window.addEventListener("load", register);
}
