// One picture of the gallery: made once, then updated in place.
import { isWidth } from "/static/processes.js";

export function card(picture, remove) {
  const element = make("li", "picture");
  const view = element.appendChild(make("a", "view"));
  const palette = element.appendChild(make("div", "palette"));
  const about = element.appendChild(make("div", "about"));
  const steps = element.appendChild(make("ul", "steps"));

  const title = about.appendChild(make("h3", "", picture.name));
  title.append(make("small", "", `${picture.width} × ${picture.height}`));
  const button = about.appendChild(make("button", "", "Remove"));
  button.type = "button";
  button.setAttribute("aria-label", `Remove ${picture.name}`);
  button.addEventListener("click", remove);

  const rows = new Map(); // of each step, by its name

  function update(now) {
    for (const step of now.steps) {
      const known = rows.get(step.name) ?? row(step, steps);
      rows.set(step.name, known);
      if (known.element.dataset.state === step.state) continue;
      known.update(step);
      if (step.made_by) reveal(step, now, view, palette);
    }
  }
  return { element, update };
}

function row(step, list) {
  const element = list.appendChild(make("li"));
  element.append(isWidth(step) ? `${step.name} px` : step.name);
  const text = element.appendChild(make("span"));

  function update(now) {
    element.dataset.state = now.state;
    const took = `${Math.round(now.seconds * 1000)} ms`;
    text.textContent = now.made_by ? `${now.made_by}, ${took}` : now.state;
    text.title = now.note;
  }
  return { element, update };
}

function reveal(step, picture, view, palette) {
  const address = `/pictures/${picture.id}/${step.name}.webp`;
  if (step.name === "preview") {
    const image = make("img");
    image.src = address;
    image.alt = picture.name;
    view.replaceChildren(image);
  } else if (step.name === "palette") {
    const colours = JSON.parse(step.note);
    palette.replaceChildren(...colours.map(swatch));
    palette.setAttribute("role", "img");
    palette.setAttribute("aria-label", `Main colours: ${colours.join(", ")}`);
  } else if (step.name === "1600") {
    view.href = address;
  }
}

function swatch(colour) {
  const element = make("i");
  element.style.background = colour;
  element.title = colour;
  return element;
}

function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}
