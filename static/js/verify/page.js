// The Verify page: wires keys, grid, supply and outbox together and draws what they say.
import { Api } from "lib/api";
import { KeyMap } from "lib/keys";
import { remembered } from "lib/memory";
import { Outbox } from "lib/outbox";
import { showSaved } from "lib/saved";
import { Notices } from "review/notices";
import { switchKeeper, wireHelp } from "review/help";
import { wireEnlarged } from "verify/enlarged";
import { Flow } from "verify/flow";
import { Grid } from "verify/grid";
import { Supply } from "verify/supply";

const LOOK_AGAIN_MS = 10_000;
const COMMANDS = [
  { name: "confirm", title: "Confirm the page", keys: ["Enter"] },
  { name: "toggle", title: "Mark an exception", keys: [" "] },
  { name: "left", title: "Left", keys: ["ArrowLeft"] },
  { name: "right", title: "Right", keys: ["ArrowRight"] },
  { name: "up", title: "Up", keys: ["ArrowUp"] },
  { name: "down", title: "Down", keys: ["ArrowDown"] },
  { name: "enlarge", title: "Enlarge", keys: ["e", "+"], also: ["="] },
  { name: "undo", title: "Undo the last page", keys: ["z", "Backspace"] },
  { name: "tags", title: "Another tag", keys: ["t", "/"] },
  { name: "help", title: "All keys", keys: ["?"] },
];

const root = document.querySelector("[data-verify]");
const part = (name) => root.querySelector(`[data-${name}]`);
const config = JSON.parse(document.getElementById("verify-config").textContent);
const numbers = new Intl.NumberFormat("en");

const api = new Api(config.api);
const site = new Api("/");
const keys = new KeyMap({ commands: COMMANDS, own: config.keys });
keys.areSingleKeysOn = config.single_keys;
keys.mode = "grid";
const outbox = new Outbox({ name: `verify-${config.owner}`, send: sendAll });
const supply = new Supply({ ...config, api, tag: config.tag.id, held: () => flow.held() });
const memory = remembered(`tagger:verified:${config.owner}:${config.tag.id}`, [], sessionStorage);
const { tag, earlier } = config;
const flow = new Flow({ supply, outbox, api, memory, tag, earlier });
const grid = new Grid({ root: part("grid"), mould: root.querySelector("template"), gallery: config.gallery });
const notices = new Notices(part("notice"));

let size = 0; // tiles that fit the window
let refused = { count: 0, lead: "" };
let counted = ""; // what the server said of the last page

// One after the other: each page is a request of its own, and one sent twice is stored once.
async function sendAll(bodies) {
  const results = [];
  for (const body of bodies) results.push({ status: 200, answer: await api.post("verify/", body) });
  return results;
}

// -- what a person does -----------------------------------------------------

const commands = {
  confirm: () => confirm(),
  toggle: () => grid.toggle(),
  left: () => grid.move(-1, 0),
  right: () => grid.move(1, 0),
  up: () => grid.move(0, -1),
  down: () => grid.move(0, 1),
  enlarge: wireEnlarged({ dialog: part("enlarged"), grid, root: part("grid"), gallery: config.gallery }),
  undo: () => undo(),
  tags: () => openTags(),
  help: wireHelp({ dialog: part("keys"), keys, root, save: switchKeeper(site, notices) }),
};

function confirm() {
  if (flow.confirm(grid.no, size)) supply.fill(2 * size);
  draw();
}

async function undo() {
  const undone = await flow.undo();
  if (undone) counted = "Taken back";
  if (undone === "page") say("Taken back. The page is here again.");
  if (undone === "earlier") supply.fill(2 * size);
  draw();
}

function openTags() {
  part("tags").open = true;
  part("tags").querySelector("a, input").focus();
}

document.addEventListener("keydown", (event) => {
  const command = keys.read(event)?.command;
  if (!command) return;
  const isArrow = event.key.startsWith("Arrow");
  if (isArrow && !grid.contains(event.target) && event.target.closest("a, button, summary, input")) return;
  event.preventDefault();
  if (event.repeat && !isArrow) return; // a key that is held acts once
  commands[command](event);
});

// A focused tile keeps Enter for itself: it sends the form.
part("form").addEventListener("submit", (event) => {
  event.preventDefault();
  confirm();
});
part("grid").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.repeat) event.preventDefault();
});
root.addEventListener("click", (event) => {
  const command = event.target.closest("[data-command]")?.dataset.command;
  if (command) commands[command](event);
});
part("retry").addEventListener("click", () => supply.fill(2 * size));

grid.addEventListener("mark", ({ detail: { isNo } }) => {
  drawCounts();
  say(`${isNo ? "No" : "Yes"}. ${countsText()}.`);
});

// -- what comes up ------------------------------------------------------------

flow.addEventListener("show", ({ detail: { tiles, no, isSame } }) => {
  grid.show(tiles, no, { isSame });
  draw();
});
flow.addEventListener("notice", ({ detail }) => told(detail.text));

supply.addEventListener("change", () => {
  if (!flow.tiles.length && supply.length) flow.next(size);
  else if (flow.tiles.length < size) flow.resize(size, grid.no);
  draw();
});

outbox.addEventListener("change", draw);
outbox.addEventListener("stored", ({ detail: { answer } }) => {
  counted = `${answer.yes} yes, ${answer.no} no stored`;
  say(`${counted}.`);
});
outbox.addEventListener("refused", ({ detail: { error } }) => {
  refused = { count: refused.count + 1, lead: "Not saved" };
  const onDismiss = () => {
    refused = { count: 0, lead: "" };
    draw();
  };
  told(`Not saved. ${error.message}`, { tone: "stop", onDismiss });
});

function say(text) {
  part("live").textContent = text;
}

function told(text, options) {
  notices.say(text, options);
}

// -- drawing ----------------------------------------------------------------------

function draw() {
  drawCounts();
  drawSaved();
  drawState();
}

function countsText() {
  const no = grid.no.length;
  return `${grid.tiles.length - no} yes, ${no} no`;
}

function drawCounts() {
  const no = grid.no.length;
  part("yes").textContent = grid.tiles.length - no;
  part("no").textContent = no;
  part("count").textContent = grid.tiles.length;
  part("waiting").textContent = numbers.format(Math.max(supply.waiting - flow.waitingIds().length, 0));
}

function drawSaved() {
  showSaved(part("saved"), { state: outbox.state, waiting: flow.waitingFacts, refused });
  if (counted && part("saved").dataset.state === "saved") part("saved-text").textContent = counted;
}

function drawState() {
  const state = flow.tiles.length ? "tiles" : waitingState();
  root.dataset.state = state;
  part("dock").hidden = state !== "tiles" && !outbox.size && !flow.canUndo;
  part("form").querySelector("[type=submit]").disabled = state !== "tiles";
  for (const node of part("states").children) node.hidden = node.dataset.for !== state;
  if (supply.failure) part("failure").textContent = supply.failure.message;
}

function waitingState() {
  if (supply.failure) return "failed";
  return supply.isExhausted ? "done" : "loading";
}

function layOut() {
  const now = grid.fit();
  if (now === size) return;
  size = now;
  if (flow.tiles.length) flow.resize(size, grid.no);
  else if (supply.length) flow.next(size);
  supply.fill(2 * size);
}

// -- start ------------------------------------------------------------------------

function takeOver() {
  for (const node of root.querySelectorAll("[data-plain]")) node.remove();
  for (const node of root.querySelectorAll("[data-scripted], [data-tally-words]")) node.hidden = false;
  root.toggleAttribute("data-ready", true);
  layOut();
  new ResizeObserver(layOut).observe(part("grid"));
  setInterval(() => !document.hidden && !flow.tiles.length && supply.fill(size), LOOK_AGAIN_MS);
}

await outbox
  .open()
  .catch(() => told("This browser keeps no data: a page is lost if the tab closes before it is saved."));
supply.leaveOut(flow.waitingIds());
takeOver();
draw();
