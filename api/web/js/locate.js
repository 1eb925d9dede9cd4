// "Near me": the browser's position on the map. It is asked for on a click only, and told to nobody.

import { element, t } from "./texts.js";
import { elementIcon } from "./draw.js";
import { say } from "./toast.js";

const NEAR = 15;
let shown = null;

export function start(map, button, { extent }) {
  button.setAttribute("aria-busy", "true");
  say(t("locate.wait"));
  const done = (text) => {
    button.removeAttribute("aria-busy");
    say(text);
  };
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      const here = L.latLng(coords.latitude, coords.longitude);
      shown?.remove();
      const make = () => element("div", { class: "here", role: "img", "aria-label": t("locate.here"), title: t("locate.here") });
      shown = L.layerGroup([
        L.circle(here, { radius: coords.accuracy, className: "here-around", interactive: false, pane: "overlayPane" }),
        L.marker(here, { icon: elementIcon(22, make), keyboard: false, interactive: false }),
      ]).addTo(map);
      if (!extent.pad(0.3).contains(here)) return done(t("locate.outside"));
      map.setView(here, Math.max(map.getZoom(), NEAR));
      return done(t("locate.found", { metres: Math.round(coords.accuracy) }));
    },
    (error) => done(t(error.code === error.PERMISSION_DENIED ? "locate.denied" : "locate.failed")),
    { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 },
  );
}
