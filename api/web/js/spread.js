// Marks that would lie on each other are moved apart, so that each can be tapped (WCAG 2.2, 2.5.8); a line leads to where a
// mark belongs. Layers know their own marks only, so this looks at all of them, once the map stands.

/** Pixels that a mark is moved at most along each axis: where there are too many, being near counts more. */
const FAR = 30;
/** Pixels around a mark that stay clear; positions are whole pixels. */
const CLEAR = 1;
/** Times that all pairs are looked at, and marks from which there is no room to find. */
const [ROUNDS, MANY] = [120, 400];
/** Pixels from which a mark is so far from its place that a line leads there. */
const LED = 5;

/** Moves two marks that overlap apart, each by half, along the axis on which they are nearly clear. */
function part(one, other) {
  const [dx, dy] = [other.x - one.x, other.y - one.y];
  const [overX, overY] = [one.half + other.half - Math.abs(dx), one.half + other.half - Math.abs(dy)];
  if (overX <= 0.5 || overY <= 0.5) return false;
  const axis = overX < overY ? "x" : "y";
  const step = (Math.min(overX, overY) / 2) * ((axis === "x" ? dx : dy) < 0 ? -1 : 1);
  for (const [mark, by] of [[one, -step], [other, step]]) {
    const own = mark.own[axis];
    mark[axis] = Math.max(own - FAR, Math.min(own + FAR, mark[axis] + by));
  }
  return true;
}

function arrange(marks) {
  for (let round = 0; round < ROUNDS; round += 1) {
    let moved = false;
    marks.sort((a, b) => a.x - b.x);
    for (const [index, one] of marks.entries()) {
      for (let next = index + 1; next < marks.length && marks[next].x - one.x < one.half + 24; next += 1) moved = part(one, marks[next]) || moved;
    }
    if (!moved) return;
  }
}

/** Moves a mark to where it is to be; tells whether it was elsewhere. */
function move({ node, x, y, own }) {
  const [dx, dy] = [Math.round(x - own.x), Math.round(y - own.y)];
  const before = node.style.translate;
  node.style.translate = dx || dy ? `${dx}px ${dy}px` : "";
  const far = Math.hypot(dx, dy);
  node.classList.toggle("led", far >= LED);
  node.style.setProperty("--far", `${far.toFixed(1)}px`);
  node.style.setProperty("--turn", `${Math.atan2(-dy, -dx).toFixed(3)}rad`);
  return node.style.translate !== before;
}

/** Keeps the marks of a map apart. */
export function spread(map, layers) {
  let waiting = 0;
  const now = () => {
    waiting = 0;
    const nodes = [...map.getPane("mapPane").querySelectorAll(".map-icon[role=button]")];
    const marks = nodes.map((node) => {
      const { x, y } = L.DomUtil.getPosition(node);
      return { node, x, y, own: { x, y }, half: Number.parseFloat(node.style.width) / 2 + CLEAR };
    });
    if (marks.length <= MANY) arrange(marks);
    // Names keep clear of the marks as they lie now.
    if (marks.map(move).some(Boolean)) map.fire("spread");
  };
  const later = () => {
    waiting ||= requestAnimationFrame(now);
  };
  map.on("zoomend moveend layeradd layerremove", later);
  for (const layer of layers) layer.on("state", later);
  later();
}
