// The room that what lies over the map leaves: what the map begins with is shown in it.

import { rtl } from "./texts.js";

/** Where the style sheet lays out a low map. */
const LOW = "(max-height: 480px)";
/** Where it has the tools in a row. */
const ROW = `${LOW}, (max-width: 700px) and (max-height: 580px)`;

/** Pixels of a name of two lines that stands above what is shown, such as the sea's. */
const NAME = 44;
/** Pixels of a notice below the title, and of the time, both of which come later than the first view. */
const NOTICE = 58;
const TIME = 144;
/** Pixels of the tools and their margins: a mark under them could not be tapped. */
const TOOLS = 64;
/** Pixels of what is told beside the panel, in one line or two, and from the panel to a cluster's middle, where the map is low. */
const [TOLD, TWO] = [50, 64];
const OFF = 16;
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
    const around = (above, beside = 0) => {
      const [start, end] = [24 + beside, TOOLS];
      return { paddingTopLeft: [left + (rtl ? end : start), above], paddingBottomRight: [right + (rtl ? start : end), below] };
    };
    if (!window.matchMedia(LOW).matches || !panel) return around(top);
    // A low map has no height to lose: what is shown is below the closed panel or beside it, where it is larger.
    const over = panel.getContainer().getBoundingClientRect();
    const area = map.getContainer().getBoundingClientRect();
    const notice = x > 700 ? TOLD : TWO;
    const beside = around(told ? notice : top, over.width);
    const underneath = around(Math.max(over.bottom - area.top, told ? notice : 0) + OFF);
    const zoomIn = (room) => map.getBoundsZoom(bounds, false, L.point(room.paddingTopLeft).add(room.paddingBottomRight));
    return zoomIn(beside) > zoomIn(underneath) ? beside : underneath;
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
  const inRow = window.matchMedia(ROW).matches;
  const aside = !inRow && (timed || heightBeside(8) > x * TALL) ? TOOLS : 8;
  const height = heightBeside(aside);
  return { paddingTopLeft: [rtl ? aside : 8, top], paddingBottomRight: [rtl ? 8 : aside, Math.max(least, y - top - height - 2)] };
}
