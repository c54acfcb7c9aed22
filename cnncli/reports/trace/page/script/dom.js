// Elements of the page, made in one call.

const SVG = "http://www.w3.org/2000/svg";

/** el("td", {class: "cell", "aria-label": "…"}, "text", child, …); a function is a listener: {onclick: …}. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element[name] = value;
    else if (value !== null && value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** The equation that Python wrote as MathML. */
export function equation(tensor) {
  const holder = el("span", { class: "equation" });
  holder.innerHTML = tensor.formula;
  return holder;
}
