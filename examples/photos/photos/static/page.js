// The page: sends what is dropped, asks for the state, and shows it.
// Names of files come from strangers: they are only ever set as text.
import { card } from "/static/card.js";
import { counted, processes, time } from "/static/processes.js";

const BUSY = 400, IDLE = 3000; // milliseconds between two looks at the state
const AT_ONCE = 3; // uploads under way at the same time
const WORKING = new Set(["queued", "started", "scheduled", "deferred"]);

const find = (id) => document.getElementById(id);
const cards = new Map(); // the card of each picture, by its id
let timer;
let sheetAwaited = false; // asked for with the button, and not shown yet

// ---- what is dropped or chosen

async function send(file) {
  const limit = Number(document.body.dataset.maxBytes);
  if (file.size > limit) throw new Error(`the file has more than ${limit >> 20} MB`);
  const form = new FormData();
  form.append("picture", file);
  await ask("/pictures", { method: "POST", body: form });
}

async function sendAll(files) {
  const waiting = [...files];
  find("notes").replaceChildren();
  const sender = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      await send(file).catch((error) => note(`${file.name}: ${error.message}`));
      look();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
}

async function ask(address, options) {
  const answer = await fetch(address, options).catch(() => {
    throw new Error("the web process does not answer");
  });
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Error(said.error ?? `the web process answered ${answer.status}`);
}

function note(text) {
  const item = document.createElement("li");
  item.textContent = text;
  find("notes").append(item);
}

// ---- what is shown

async function look() {
  clearTimeout(timer);
  let busy = false;
  try {
    busy = show(await (await ask("/state")).json());
  } catch (error) {
    find("summary").textContent = `Waiting: ${error.message}.`;
  }
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(look, busy || sheetAwaited ? BUSY : IDLE);
}

function show(state) {
  const { pictures, chores } = state;
  showCards(pictures);
  const steps = pictures.flatMap((picture) => picture.steps);
  const working = steps.filter((step) => WORKING.has(step.state)).length;
  const summary = !pictures.length
    ? "Nothing here yet: drop a picture."
    : `${counted(pictures.length, "picture")}, ` +
      (working ? `${counted(working, "job")} to go` : "all done");
  // Screen readers read out each change: so change it only when it differs.
  if (find("summary").textContent !== summary) find("summary").textContent = summary;
  find("processes").replaceChildren(...processes(state));
  showSheet(chores.find((chore) => chore.name === "contact sheet"));
  return working > 0;
}

function showCards(pictures) {
  const shown = new Set(pictures.map((picture) => picture.id));
  for (const [id, { element }] of cards) {
    if (!shown.has(id)) {
      element.remove();
      cards.delete(id);
    }
  }
  pictures.forEach((picture, place) => {
    const known = cards.get(picture.id) ?? card(picture, () => remove(picture));
    cards.set(picture.id, known);
    known.update(picture);
    const there = find("gallery").children[place];
    if (there !== known.element) find("gallery").insertBefore(known.element, there ?? null);
  });
}

async function remove(picture) {
  await ask(`/pictures/${picture.id}`, { method: "DELETE" }).catch((error) =>
    note(`${picture.name}: ${error.message}`),
  );
  look();
}

function showSheet(chore) {
  if (!chore) return;
  find("sheet-note").textContent =
    `${chore.note}, published at ${time(chore.at)} by ${chore.made_by}.`;
  const address = `/contact-sheet.webp?at=${chore.at}`;
  const image = find("sheet").firstElementChild;
  if (image.getAttribute("src") !== address) {
    image.src = address;
    sheetAwaited = false;
  }
  find("sheet").hidden = chore.note.startsWith("0 ");
}

async function publish() {
  sheetAwaited = true;
  await ask("/contact-sheet", { method: "POST" }).catch((error) => {
    sheetAwaited = false;
    note(error.message);
  });
  look();
}

// ---- what is done

find("files").addEventListener("change", (event) => {
  sendAll(event.target.files);
  event.target.value = ""; // so that the same file can be chosen again
});
find("publish").addEventListener("click", publish);
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.toggle("dropping", kind === "dragover");
    if (kind === "drop") sendAll(event.dataTransfer.files);
  });
}
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) look(); // a hidden page asks nothing
});
look();
