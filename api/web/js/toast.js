// A word on the map for a while, said to screen readers as well.

import { element } from "./texts.js";

const toast = element("p", { class: "map-toast", role: "status" });
let hiding = 0;
// Screen readers tell changes of what was there before.
document.querySelector(".map-area").append(toast);

/** Says something on the map for a while; nodes stay until the next word. */
export function say(text, ...nodes) {
  clearTimeout(hiding);
  toast.replaceChildren(text, ...nodes);
  if (text && !nodes.length) hiding = setTimeout(() => toast.replaceChildren(), 9000);
}
