// The room that what lies over the map leaves: what the map begins with is shown in it.

import { rtl } from "./texts.js";

/** Pixels of a name of two lines that stands above what is shown, such as the sea's. */
const NAME = 44;
/** Pixels of a notice below the title, and of the time, both of which come later than the first view. */
const NOTICE = 58;
const TIME = 144;
/** Pixels of the tools and their margins: a mark under them could not be tapped. */
const TOOLS = 64;
/** Height, as a part of a phone's width, from which what is shown reaches down to the tools. */
const TALL = 0.65;

/**
 * Returns the options of Leaflet's `fitBounds` that keep bounds clear of the panel, of the names and the notices above
 * (`told`: there are some) and of the time below (`timed`). On a phone they stand high, below the title.
 */
export function roomFor(map, bounds, panel, { timed, told }) {
  const { x, y } = map.getSize();
  const { left, right } = panel?.covered() ?? { left: 0, right: 0 };
  if (x >= 600) {
    const [top, below] = [Math.min(NAME + 26, y * 0.1), timed ? Math.min(TIME, y * 0.22) : 40];
    return { paddingTopLeft: [left + (rtl ? TOOLS : 24), top], paddingBottomRight: [right + (rtl ? 24 : TOOLS), below] };
  }
  // A map in a file of its own has its title above the map.
  const over = [document.querySelector(".map-title"), panel?.getContainer()].filter(Boolean);
  const area = map.getContainer().getBoundingClientRect();
  const lowest = Math.max(area.top, ...over.map((node) => node.getBoundingClientRect().bottom));
  const top = Math.min(lowest - area.top + NAME + (told ? NOTICE : 0), y * 0.3);
  const least = Math.min(timed ? TIME + 20 : 100, y * 0.3);
  const heightBeside = (room) => {
    const zoom = map.getBoundsZoom(bounds, false, L.point(8 + room, top + least));
    return map.project(bounds.getSouthWest(), zoom).y - map.project(bounds.getNorthEast(), zoom).y;
  };
  // The tools stand on the time beside what is shown, else below it, if that is flat enough.
  const aside = timed || heightBeside(8) > x * TALL ? TOOLS : 8;
  const height = heightBeside(aside);
  return { paddingTopLeft: [rtl ? aside : 8, top], paddingBottomRight: [rtl ? 8 : aside, Math.max(least, y - top - height - 2)] };
}
