// Review, one tag at a time: the same stage, queue and outbox, another question. Each answer is a fact about this tag
// alone; the image stays to be reviewed.
import { Api } from "lib/api";
import { KeyMap } from "lib/keys";
import { remembered } from "lib/memory";
import { Outbox } from "lib/outbox";
import { poll } from "lib/poll";
import { Queue } from "lib/queue";
import { isOneTag, submitter } from "lib/submitting";
import { Swipe } from "lib/swipe";
import { Flags } from "review/flags";
import { Flow } from "review/flow";
import { Guide } from "review/guide";
import { switchKeeper, wireHelp } from "review/help";
import { wireCommands } from "review/keyboard";
import { Notices } from "review/notices";
import { Progress } from "review/progress";
import { Question } from "review/question";
import { openOutbox, tellWhatIsSaved } from "review/saved";
import { aboutOneTag } from "review/saying";
import { Stage } from "review/stage";
import { Strip, Tally } from "review/strip";

const POLL_MS = 3000;
const POLLS_A_COUNT = 10; // what others answer is counted more rarely
const AHEAD = 5;
const PASSED_OVER = 1000; // as many as the server takes
const SAID = { yes: "Yes.", no: "No.", ignored: "Ignored." };

const root = document.querySelector("[data-review]");
const part = (name) => root.querySelector(`[data-${name}]`);
const config = JSON.parse(document.getElementById("review-config").textContent);
const owner = `${config.user.id}-${config.project}`;
const { tag, order } = config.one_tag;

const api = new Api(config.api);
const site = new Api("/");
const keys = new KeyMap({ commands: config.commands, own: config.keys });
keys.areSingleKeysOn = config.single_keys;
keys.mode = "one";
const outbox = new Outbox({ name: owner, send: submitter(api) });
const passedOver = remembered(`tagger:passed-over:${owner}-${tag.id}`, [], sessionStorage);
const queue = new Queue({
  api,
  size: AHEAD,
  held: () => flow.held(),
  wish: () => ({ mode: order, tag: tag.id, without: passedOver.read() }),
});
const memory = remembered(`tagger:facts:${owner}-${tag.id}`, [], sessionStorage);
const tabs = `tagger:answered:${owner}-${tag.id}`;
const flow = new Flow({ queue, outbox, saying: aboutOneTag(api, tag), memory, tabs });
const question = new Question(root, tag);
const stage = new Stage({ root, viewer: question.viewer, queue, flow, whenOver: () => "answered" });
const strip = new Strip(root);
const tally = new Tally({ name: `${owner}-facts` });
const progress = new Progress(part("progress"), config.one_tag.progress);
const notices = new Notices(part("notice"));
const flags = new Flags({ root, api, owner, flow, say: (text) => notices.say(text) });
const guide = new Guide({ root, tags: () => [tag.id] });

let said = "";
let polls = 0;
let steps = 0; // answers and undos so far: a count that overlaps one is not taken

// -- what a person does ---------------------------------------------------

const commands = {
  yes: () => answer("yes"),
  no: () => answer("no"),
  ignore: () => answer("ignored"),
  undo: () => undo(),
  flag: () => flags.open(),
  guide: () => guide.open(),
  ...stage.commands,
  help: wireHelp({ dialog: part("keys"), keys, root, save: switchKeeper(site, notices) }),
};

function answer(outcome) {
  const { current } = flow;
  if (!current) return;
  said = SAID[outcome];
  if (outcome === "ignored") passOver(current.ahead.item);
  if (!flow.answer(outcome)) said = "";
  else if (outcome !== "ignored") {
    tally.answered();
    step(1, current.ahead.item);
  }
  drawCounts();
}

function step(by, item) {
  steps += 1;
  progress.step(by, item, tag);
}

// Nothing is stored: the image waits for others, and does not come back in this session.
function passOver(item) {
  passedOver.write([...passedOver.read(), item.image.id].slice(-PASSED_OVER));
  queue.giveBack(item);
}

async function undo() {
  said = "Taken back.";
  const outcome = await flow.undo();
  const { current } = flow;
  if (outcome === "ignored") passedOver.write(passedOver.read().filter((id) => id !== current?.ahead.item.image.id));
  else if (outcome) {
    tally.undone();
    step(-1, current?.ahead.item ?? { suggestions: [] });
  }
  drawCounts();
}

wireCommands({ root, keys, commands, flow, setAlone: (isAlone) => stage.setAlone(isAlone) });
new Swipe({
  box: part("picture"),
  isBusy: () => stage.isBusy,
  right: commands.yes,
  left: commands.no,
});

// -- what comes up ----------------------------------------------------------

flow.addEventListener("show", async ({ detail: current }) => {
  stage.setAlone(false);
  stage.draw();
  if (!current) return question.say(said);
  await question.show(current);
  if (flow.current?.ahead !== current.ahead) return;
  question.say(`${said} ${question.introduction(current.ahead.item)}`.trim());
  said = "";
});

flow.addEventListener("notice", ({ detail }) => notices.say(detail.text));

queue.addEventListener("change", () => {
  strip.ready(queue.readyCount, AHEAD);
  stage.draw();
});

// A fact needs no lease: once it is stored, the image is free for whoever reviews it.
outbox.addEventListener("stored", ({ detail: { entry } }) => {
  if (isOneTag(entry.body)) queue.giveBack(entry.item);
});

function drawCounts() {
  strip.counts({ today: tally.today, rate: tally.rate, streak: tally.streak, left: null });
}

async function look() {
  polls += 1;
  const before = steps;
  const isCounting = polls % POLLS_A_COUNT === 0 && !outbox.size;
  const path = isCounting ? `stats/?tag=${tag.id}` : "stats/";
  const [stats, health] = await Promise.all([api.get(path), site.get("healthz").catch(() => null)]);
  if (stats.tag && steps === before) progress.counted = stats.tag;
  if (stats.me && !outbox.size) tally.today = stats.me.facts_today;
  strip.model({ number: stats.live_model.number, isWorking: health ? health.workers.ml : true });
  drawCounts();
}

stage.keepFresh(flags);

const drawSaved = tellWhatIsSaved({ outbox, beside: flags.outbox, strip, notices });
await openOutbox(outbox, notices);
flags.start();
drawSaved();
drawCounts();
queue.fill();
poll(look, POLL_MS);
