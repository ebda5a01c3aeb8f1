// The review page: wires keys, buttons, queue, outbox and board together. Rules live in the modules it connects.
import { Api } from "lib/api";
import { indexOf } from "lib/chips";
import { KeyMap } from "lib/keys";
import { remembered } from "lib/memory";
import { Outbox } from "lib/outbox";
import { poll } from "lib/poll";
import { isBare, Queue } from "lib/queue";
import { submitter } from "lib/submitting";
import { Swipe } from "lib/swipe";
import { TypeAhead } from "lib/typeahead";
import { Board } from "review/board";
import { Flags } from "review/flags";
import { Flow } from "review/flow";
import { Guide, tagsOfChips } from "review/guide";
import { switchKeeper, wireHelp } from "review/help";
import { giveKeysBack, wireCommands } from "review/keyboard";
import { Notices } from "review/notices";
import { openOutbox, tellWhatIsSaved } from "review/saved";
import { aboutImages } from "review/saying";
import { Stage } from "review/stage";
import { Strip, Tally } from "review/strip";

const POLL_MS = 3000;
const AHEAD = 5;
const SAID = {
  reviewed: "Accepted.",
  skipped: "Skipped.",
  unsure: "Marked unsure.",
  broken: "Marked broken.",
};

const root = document.querySelector("[data-review]");
const part = (name) => root.querySelector(`[data-${name}]`);
const config = JSON.parse(document.getElementById("review-config").textContent);
const owner = `${config.user.id}-${config.project}`;

const api = new Api(config.api);
const site = new Api("/");
const keys = new KeyMap({ commands: config.commands, own: config.keys, hotkeys: config.hotkeys });
keys.areSingleKeysOn = config.single_keys;
const outbox = new Outbox({ name: owner, send: submitter(api) });
const queue = new Queue({ api, size: AHEAD, held: () => flow.held() });
const memory = remembered(`tagger:answers:${owner}`, [], sessionStorage);
const flow = new Flow({ queue, outbox, saying: aboutImages(api), memory, tabs: `tagger:answered:${owner}` });
const board = new Board(root, { hotkeyOf: (id) => keys.hotkeyOf(id) });
const stage = new Stage({ root, viewer: board.viewer, queue, flow, whenOver });
const strip = new Strip(root);
const tally = new Tally({ name: owner });
const notices = new Notices(part("notice"));
const flags = new Flags({ root, api, owner, flow, say: (text) => notices.say(text) });
const guide = new Guide({ root, tags: () => tagsOfChips(root, flow.current) });
const typeahead = new TypeAhead({
  root: part("typeahead"),
  api,
  canCreate: config.can_create_tags,
  memory: remembered(`tagger:recent:${owner}`, []),
});

let images = null; // how many the project holds, once known
let liveNumber = null;
let answeredAt = null;
let said = ""; // the result of the last answer, spoken with the next item

// -- what a person does ---------------------------------------------------

const commands = {
  accept: (event) => answer("reviewed", event),
  skip: (event) => answer("skipped", event),
  unsure: (event) => answer("unsure", event),
  broken: (event) => answer("broken", event),
  undo: () => undo(),
  add: () => flow.current && typeahead.open(),
  flag: () => flags.open(),
  guide: () => guide.open(),
  ...stage.commands,
  help: wireHelp({ dialog: part("keys"), keys, root, save: switchKeeper(site, notices) }),
};

function answer(outcome, event) {
  if (!flow.current) return;
  if (flow.current.ahead.renewing) return answerOnceRenewed(outcome, event);
  answeredAt = event.timeStamp;
  said = SAID[outcome];
  if (flow.answer(outcome)) {
    if (outcome === "reviewed") tally.answered();
    drawCounts();
  } else {
    answeredAt = null;
    said = "";
  }
}

// An item without suggestions is just asking for its first ones. When none come, the key does what it was pressed for;
// those that come are looked at before they are accepted.
async function answerOnceRenewed(outcome, event) {
  const { current } = flow;
  await current.ahead.renewing;
  if (flow.current !== current) return;
  if (outcome !== "reviewed" || isBare(current.ahead.item)) answer(outcome, event);
  else notices.say("Suggestions have just come: look at them, then accept once more.");
}

async function undo() {
  said = "Taken back.";
  if ((await flow.undo()) === "reviewed") tally.undone();
  drawCounts();
}

function toggle(index) {
  const chip = flow.current?.selection.toggle(index);
  if (!chip) return;
  board.toggled(index);
  board.say(`${chip.tag.name} ${chip.on ? "on" : "off"}`);
}

// By its hotkey: a tag that is not among the chips comes last, chosen.
function toggleTag(tag) {
  const selection = flow.current?.selection;
  if (!selection) return;
  const index = selection.indexOf(tag);
  if (index >= 0) toggle(index);
  else addTag(tag);
}

function addTag(tag) {
  flow.current.selection.add(tag);
  board.redraw();
  board.say(`${tag.name} on`);
  part("no-tags").hidden = true;
}

wireCommands({
  root,
  keys,
  commands,
  flow,
  setAlone: (isAlone) => stage.setAlone(isAlone),
  other: ({ position, tag }) => (position ? toggle(position - 1) : toggleTag(tag)),
});

new Swipe({
  box: part("picture"),
  isBusy: () => stage.isBusy,
  right: commands.accept,
  left: commands.skip,
});

root.addEventListener("click", (event) => {
  const chip = event.target.closest(".chip");
  if (!chip) return;
  toggle(indexOf(chip));
  giveKeysBack(event);
  if (flow.current && event.detail > 0) flow.current.keystrokes += 1;
});

typeahead.addEventListener("pick", ({ detail: tag }) => {
  if (flow.current) addTag(tag);
});

// -- what comes up ----------------------------------------------------------

flow.addEventListener("show", async ({ detail: current }) => {
  stage.setAlone(false);
  stage.draw();
  if (!current) return board.say(said);
  const key = answeredAt;
  answeredAt = null;
  await board.show(current);
  if (flow.current?.ahead !== current.ahead) return;
  if (key !== null) measureFrom(key, current);
  board.say(`${said} ${board.introduction(current.ahead.item, current.selection)}`.trim());
  said = "";
});

// From the key to the frame in which the next picture is painted.
function measureFrom(start, shown) {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      const end = performance.now();
      performance.measure("tagger:key-to-picture", { start, end });
      shown.picture_ms = Math.round(end - start);
    };
    port2.postMessage(null);
  });
}

flow.addEventListener("notice", ({ detail }) => notices.say(detail.text));

queue.addEventListener("change", () => {
  strip.ready(queue.readyCount, AHEAD);
  drawCounts();
  stage.draw();
});

outbox.addEventListener("refused", forgetNewTags);
outbox.addEventListener("stored", forgetNewTags);

function forgetNewTags({ detail: { entry } }) {
  if (entry.body.create_missing) typeahead.forget();
}

function drawCounts() {
  const left = queue.remaining === null ? null : Math.max(queue.remaining - outbox.size, 0);
  strip.counts({ today: tally.today, rate: tally.rate, streak: tally.streak, left });
}

function whenOver() {
  if (images === 0) return "no-images";
  return queue.remaining > outbox.size ? "taken" : "done";
}

// -- what the server tells ----------------------------------------------------

async function look() {
  const [stats, health] = await Promise.all([api.get("stats/"), site.get("healthz").catch(() => null)]);
  images = stats.images;
  const { number } = stats.live_model;
  if (stats.me && !outbox.size) tally.today = stats.me.today;
  const isNewVersion = liveNumber !== null && number !== liveNumber;
  liveNumber = number;
  await freshen(isNewVersion);
  strip.model({ number, isWorking: health ? health.workers.ml : true });
  if (isNewVersion) notices.say(`Model v${number} is live. Waiting images have its suggestions.`);
  drawCounts();
  stage.draw();
}

// A new version speaks for what waits; an item that was handed out before anything was suggested gets its first chips.
async function freshen(isNewVersion) {
  const { current } = flow;
  const bare = current && isBare(current.ahead.item) ? current.ahead : null;
  if (!isNewVersion && !bare && !queue.hasBareItems) return;
  await queue.refresh(bare);
  if (bare && flow.current === current && !isBare(bare.item)) flow.redrawCurrent();
}

stage.keepFresh(flags);

typeahead
  .prepare()
  .then((count) => (part("no-tags").hidden = count > 0))
  .catch(() => {}); // The list comes with the first letters typed.

const drawSaved = tellWhatIsSaved({ outbox, beside: flags.outbox, strip, notices });
await openOutbox(outbox, notices);
flags.start();
drawSaved();
drawCounts();
queue.fill();
poll(look, POLL_MS);
