// The messages between a map in a frame and the page around it: with that page only, and only if it may show the map.

const { embed } = JSON.parse(document.getElementById("casamaps-data").textContent);
const PROTOCOL = 1;
const outside = window.parent === window ? null : window.parent;
/** Origin of the page around, once it has said hello. */
let origin = null;
const handlers = new Map();

/** Sends a message to the page around; before it has said hello there is nobody to tell. */
export function tell(type, values) {
  if (origin) outside.postMessage({ casamaps: PROTOCOL, type, ...values }, origin);
}

/** Answers the calls of the page around; what a handler throws is told as the call's error. */
export function answer(type, handler) {
  handlers.set(type, handler);
}

async function call(handler, data) {
  try {
    await handler(data);
    tell("answer", { id: data.id, error: null });
  } catch (error) {
    tell("answer", { id: data.id, error: error.message });
  }
}

window.addEventListener("message", ({ data, source, origin: from }) => {
  if (!outside || source !== outside || !embed.origins.includes(from)) return;
  if (typeof data !== "object" || data?.casamaps !== PROTOCOL) return;
  if (data.type === "hello") {
    origin = from;
    if (embed.problem) tell("problem", { message: embed.problem, missing: embed.missing === true });
    handlers.get("hello")?.();
  } else if (handlers.has(data.type)) {
    call(handlers.get(data.type), data);
  }
});
