// Who did what: one item for each process that the pictures tell of.

export const isWidth = (step) => /^\d/.test(step.name);
export const counted = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;
export const time = (seconds) => new Date(seconds * 1000).toLocaleTimeString();

export function processes({ pictures, chores }) {
  const did = new Map(); // for each process, how many of what
  const count = (process, what) => {
    const counts = did.get(process) ?? new Map();
    did.set(process, counts.set(what, (counts.get(what) ?? 0) + 1));
  };
  for (const picture of pictures) {
    count(picture.received_by, "upload");
    for (const step of picture.steps) {
      if (step.made_by) count(step.made_by, isWidth(step) ? "rendition" : step.name);
    }
  }
  const items = [...did].sort().map(([process, counts]) =>
    item(process, [...counts].sort().map(([what, number]) => counted(number, what))),
  );
  // The clock makes nothing itself: it enqueues what is due, and a worker runs it.
  const due = chores.map((chore) => `${chore.name} at ${time(chore.at)} by ${chore.made_by}`);
  return due.length ? [...items, item("clock", due)] : items;
}

function item(process, texts) {
  const [element, name, text] = ["li", "b", "span"].map((tag) => document.createElement(tag));
  name.textContent = process;
  text.textContent = texts.join(", ");
  element.append(name, text);
  return element;
}
