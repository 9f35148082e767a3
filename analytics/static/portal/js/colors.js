/** Colours of series: the same value has the same colour in every panel and on every visit. */

const SLOTS = 12;
const ERROR_SLOTS = 8;
// The second half of the palette is dashed, so that no two series differ by colour alone.
const DASH = [6, 3];

const probe = document.createElement("span");
probe.hidden = true;
// Where the system forces its own colours all series would be one.
probe.style.forcedColorAdjust = "none";
document.body.append(probe);
let known = new Map();

/** The colour that a custom property has in the theme of now, as `rgb(…)`. */
export function css(name) {
  if (!known.has(name)) {
    probe.style.color = `var(--${name})`;
    known.set(name, getComputedStyle(probe).color);
  }
  return known.get(name);
}

/** Forget the colours of the theme that was. */
export function forget() {
  known = new Map();
}

/** A colour of `css()` with an opacity from 0 to 1. */
export function fade(color, opacity) {
  const [red, green, blue] = color.match(/[\d.]+/g);
  return `rgba(${red}, ${green}, ${blue}, ${opacity})`;
}

/** FNV-1a: a hash that is the same in every browser. */
function hash(label) {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(label)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}

/** Slot for every label: its hash, or the next free slot. More labels than slots share them in order. */
function assign(labels, slots) {
  const taken = new Set();
  return labels.map((label) => {
    let slot = hash(label) % slots;
    while (taken.size < slots && taken.has(slot)) slot = (slot + 1) % slots;
    taken.add(slot);
    return slot;
  });
}

/** Paint for the groups of the page, in their order: `{name, dash}`, name of a custom property. */
export function paintGroups(groups) {
  const values = groups.filter((group) => group.kind === "value");
  const slots = new Map(assign(values.map((group) => group.label), SLOTS).map((slot, index) => [values[index], slot]));
  return groups.map((group) => {
    if (group.kind === "other") return { name: "series-other", dash: [2, 2] };
    if (group.kind === "none") return { name: "series-none", dash: [] };
    const slot = slots.get(group);
    return { name: `series-${slot + 1}`, dash: slot >= SLOTS / 2 ? DASH : [] };
  });
}

/** Paint for kinds of failure: the warm colours that nothing else uses. */
export function paintErrors(labels) {
  return assign(labels, ERROR_SLOTS).map((slot) => ({ name: `error-${slot + 1}`, dash: slot >= ERROR_SLOTS / 2 ? DASH : [] }));
}
