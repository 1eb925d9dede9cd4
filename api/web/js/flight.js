// Flights of the map to another place, which the map's own small movements wait for.

import { reducedMotion } from "./texts.js";

/** Milliseconds that the map takes to another place. */
const FLIGHT = 800;
/** Pixels from its goal at which a flight has come there. */
const NEAR = 2;

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
  map.flyTo(centre, zoom, { duration: FLIGHT / 1000 });
  const begun = { zoom };
  begun.over = new Promise((resolve) => {
    let timer = 0;
    const done = () => {
      clearTimeout(timer);
      map.off("movestart", done);
      map.off("moveend", look);
      if (flight === begun) flight = null;
      resolve();
    };
    // A change of the map's size ends in the same event, and the flight goes on.
    function look() {
      const [here, goal] = [map.getCenter(), centre].map((place) => map.project(place, zoom));
      if (map.getZoom() === zoom && here.distanceTo(goal) < NEAR) done();
    }
    // Another flight, or the reader's own hand.
    map.on("movestart", done);
    map.on("moveend", look);
    // A frame outside of the window is not drawn, so a flight in it would not end.
    timer = setTimeout(() => {
      jump();
      done();
    }, 2 * FLIGHT);
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
