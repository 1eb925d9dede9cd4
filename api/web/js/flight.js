// Flights of the map to another place, which the map's own small movements wait for.

import { reducedMotion } from "./texts.js";

/** Milliseconds that the map takes to another place. */
const FLIGHT = 800;

/** The flight under way: the zoom that it goes to, and a promise of its end. */
let flight = null;
let asked = 0;

/** Tells whether a flight is under way. */
export const inFlight = () => flight !== null;

/** Returns the zoom that the map is at, or goes to in a flight. */
export const zoomAhead = (map) => flight?.zoom ?? map.getZoom();

/** Returns what tells whether the map has been sent somewhere since. */
export function sentSince() {
  const before = asked;
  return () => asked !== before;
}

/** Resolves once no flight is under way. */
export async function landed() {
  while (flight) await flight.over;
}

/**
 * Moves the map; returns a promise of the flight's end, nothing where there is no flight. Of several flights the last one
 * ends where it was to; those before it are over as it begins.
 */
export function fly(map, centre, zoom) {
  asked += 1;
  const jump = () => map.setView(centre, zoom, { animate: false });
  if (reducedMotion || document.hidden) {
    jump();
    return undefined;
  }
  map.fire("flight");
  map.flyTo(centre, zoom, { duration: FLIGHT / 1000 });
  const begun = { zoom };
  begun.over = new Promise((resolve) => {
    // A frame outside of the window is not drawn, so a flight in it would not end.
    const timer = setTimeout(jump, 2 * FLIGHT);
    const done = () => {
      clearTimeout(timer);
      map.off("flight", done);
      map.off("moveend", look);
      if (flight === begun) flight = null;
      resolve();
    };
    // A change of the map's size ends in the same event, and the flight goes on: its zoom changes still.
    function look() {
      const at = map.getZoom();
      if (at === zoom) done();
      else setTimeout(() => map.getZoom() === at && done(), 100);
    }
    map.on("flight", done);
    map.on("moveend", look);
  });
  flight = begun;
  return begun.over;
}

// What comes to have the focus, as a card closes, does not take the map back from where it flies.
const { _panOnFocus: panOnFocus } = L.Marker.prototype;
L.Marker.include({
  _panOnFocus() {
    if (!flight) panOnFocus.call(this);
  },
});
