// A word on the map for a while, said to screen readers as well.

import { closer, element } from "./texts.js";

const toast = element("p", { class: "map-toast", role: "status" });
let hiding = 0;
/** What had the focus before a word that stays. */
let before = null;
// Screen readers tell changes of what was there before.
document.querySelector(".map-area").append(toast);

/** Takes a word with nodes back, for which the focus goes to where it came from; tells whether there was one. */
export function unsay() {
  if (!toast.childElementCount) return false;
  const inside = toast.contains(document.activeElement);
  toast.replaceChildren();
  if (inside) before.focus();
  return true;
}

/** Says something on the map for a while; nodes stay until the next word, their button or Escape. */
export function say(text, ...nodes) {
  clearTimeout(hiding);
  if (!toast.contains(document.activeElement)) before = document.activeElement;
  toast.replaceChildren(text, ...nodes, ...(nodes.length ? [closer(unsay)] : []));
  if (text && !nodes.length) hiding = setTimeout(() => toast.replaceChildren(), 9000);
}
