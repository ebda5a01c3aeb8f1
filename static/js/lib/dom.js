// Building elements without markup strings: everything a person typed goes in as text.
const SVG = "http://www.w3.org/2000/svg";

export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  setAttributes(node, attributes);
  node.append(...children);
  return node;
}

export function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  setAttributes(node, attributes);
  node.append(...children);
  return node;
}

// A line icon of the page's sprite (partials/_icons.html).
export function icon(name, extraClass = "") {
  const use = svg("use", { href: `#i-${name}` });
  return svg("svg", { class: `icon ${extraClass}`.trim(), "aria-hidden": "true" }, use);
}

function setAttributes(node, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false)
      node.setAttribute(key, value === true ? "" : value);
  }
}
