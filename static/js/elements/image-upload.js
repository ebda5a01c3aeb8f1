// <image-upload>: files and folders dropped or chosen go to the server in batches, each tried again by itself.
// Without this module the form inside is an ordinary one.
import { batches, sorted, whole } from "lib/batches";
import { element, icon } from "lib/dom";
import { ofDrop, ofInput } from "lib/dropped";
import { send } from "lib/sending";
import { uuid } from "lib/uuid";

const MEGABYTE = 2 ** 20;

const plural = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
const megabytes = (bytes) => `${(bytes / MEGABYTE).toFixed(bytes < 10 * MEGABYTE ? 1 : 0)} MB`;

// So many names are shown; of more their number.
const NAMED = 3;

class ImageUpload extends HTMLElement {
  #chosen = new Map(); // path to { file, path }: choosing a file again replaces it
  #work = null; // what is being sent: the batches, which of them landed, and the upload's id
  #abort = null;
  #listeners = null;

  connectedCallback() {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    const on = (target, name, act) => target.addEventListener(name, act, { signal });
    const zone = this.#part("drop");
    for (const input of this.querySelectorAll("[data-pick]"))
      on(input, "change", () => {
        this.#add(ofInput(input));
        input.value = "";
      });
    on(this, "dragover", (event) => {
      event.preventDefault();
      zone.toggleAttribute("data-over", true);
    });
    on(this, "dragleave", (event) => {
      if (!this.contains(event.relatedTarget)) zone.toggleAttribute("data-over", false);
    });
    on(this, "drop", async (event) => {
      event.preventDefault();
      zone.toggleAttribute("data-over", false);
      this.#add(await ofDrop(event.dataTransfer));
    });
    on(this.#part("clear"), "click", () => (this.#abort ? this.#abort.abort() : this.#clear()));
    on(this.#part("send"), "click", () => this.#send());
    on(this.querySelector("form"), "submit", (event) => event.preventDefault());
    on(window, "beforeunload", (event) => {
      if (this.#abort) event.preventDefault();
    });
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#abort?.abort();
  }

  #part(name) {
    return this.querySelector(`[data-${name}]`);
  }

  #add(items) {
    if (this.#abort) return;
    for (const item of items) this.#chosen.set(item.path, item);
    this.#work = null;
    this.#refuse("");
    this.#show();
    if (items.length) this.#part("send").focus();
  }

  #clear() {
    this.#chosen.clear();
    this.#work = null;
    this.#refuse("");
    this.#show();
  }

  // What is chosen, in a sentence.
  #show() {
    const { pictures, archives, captions, data, sidecars } = sorted(this.#chosen.values());
    const bytes = [...pictures, ...archives, ...data].reduce((sum, item) => sum + item.file.size, 0);
    const what = [
      pictures.length && plural(pictures.length, "image", "images"),
      archives.length && plural(archives.length, "archive", "archives"),
    ].filter(Boolean);
    const words = [...captions, ...data].map((item) => item.path);
    const told = words.length > NAMED ? `${words.length.toLocaleString("en")} files` : words.join(", ");
    this.#part("chosen").hidden = !this.#chosen.size;
    this.#part("count").textContent = what.join(" and ") || "No image yet";
    const beside = sidecars.size && plural(sidecars.size, "file beside them", "files beside them");
    const described = told && `with what ${told} ${words.length === 1 ? "says" : "say"}`;
    const alone = captions.length && !what.length && !data.length;
    this.#part("details").textContent = alone
      ? `Add the images that ${told} ${words.length === 1 ? "speaks" : "speak"} of. Without images it goes by Table.`
      : [bytes && megabytes(bytes), beside, described].filter(Boolean).join(", ");
    const button = this.#part("send");
    button.textContent = this.#work ? "Send the rest" : what.length ? `Import ${what.join(" and ")}` : "Import";
    button.disabled = !what.length && !data.length;
    button.hidden = Boolean(this.#abort);
    this.#part("clear").textContent = this.#abort ? "Stop sending" : "Clear";
    this.#part("sending").hidden = !this.#abort;
    for (const input of this.querySelectorAll("[data-pick]")) input.disabled = Boolean(this.#abort);
  }

  async #send() {
    const found = sorted(this.#chosen.values());
    this.#work ??= {
      id: uuid(),
      ...found,
      left: numbered(batches(found)),
      all: found.pictures.length + found.archives.length,
      sentBytes: 0,
      job: null,
    };
    const work = this.#work;
    work.parts ??= work.left.length;
    work.bytes ??= work.left.reduce((sum, batch) => sum + batch.bytes, 0);
    this.#refuse("");
    this.#abort = new AbortController();
    this.#show();
    this.#say("Sending.");
    const started = performance.now();
    const before = work.sentBytes;
    const token = this.querySelector("[name=csrfmiddlewaretoken]").value;
    try {
      while (work.left.length) {
        const batch = work.left[0];
        const tell = (loaded) => this.#tell(work, Math.min(loaded, batch.bytes), before, started);
        tell(0);
        const job = await send(this.dataset.api, this.#form(work, batch), {
          token,
          signal: this.#abort.signal,
          onProgress: tell,
          onWait: (error) => this.#wait(error.message),
        });
        work.job ??= job.id;
        work.sentBytes += batch.bytes;
        work.left.shift();
        document.body.dispatchEvent(new Event("import-sent"));
      }
    } catch (error) {
      if (!this.#sendWhole(error, work)) this.#stopped(error, work);
      return;
    }
    this.#abort = null;
    this.#say("All files are sent.");
    location.assign(`${this.dataset.report}${work.job}/`);
  }

  // A data file that speaks of all pictures is refused beside a part of them: all go at once, if they may.
  #sendWhole(error, work) {
    const all = error.code === "data_in_parts" && work.job === null && work.parts > 1 && whole(work);
    if (!all) return false;
    Object.assign(work, { left: numbered(all), parts: 1, bytes: all[0].bytes });
    this.#send();
    return true;
  }

  #form(work, batch) {
    const form = new FormData(this.querySelector("form"));
    const sent = new FormData();
    sent.set("client_id", batch.client_id);
    sent.set("upload", work.id);
    sent.set("parts", work.parts);
    sent.set("create_tags", form.getAll("create_tags").includes("true"));
    sent.set("complete", form.has("complete"));
    sent.set("file_keywords", form.has("file_keywords"));
    const byFolders = form.has("format");
    if (byFolders) sent.set("format", form.get("format"));
    // Only the last request may say that a caption found no file.
    sent.set("unmatched_captions", work.left.length === 1 ? "report" : "ignore");
    for (const item of work.captions) sent.append("captions_file", item.file, item.path);
    for (const item of batch.items)
      sent.append(batch.kind === "archive" ? "archive" : "files", item.file, item.path);
    const elsewhere = work.pictures.filter((item) => !batch.items.includes(item));
    if (batch.kind === "files" && (byFolders || work.captions.length) && elsewhere.length) {
      const names = JSON.stringify(elsewhere.map((item) => item.path));
      sent.set("elsewhere", new Blob([names], { type: "application/json" }), "elsewhere.json");
    }
    return sent;
  }

  #tell(work, loaded, before, started) {
    const bytes = work.sentBytes + loaded;
    const seconds = (performance.now() - started) / 1_000;
    const rate = seconds > 1 ? (bytes - before) / seconds : 0;
    const left_s = rate ? Math.ceil((work.bytes - bytes) / rate) : null;
    this.#part("sending").querySelector("progress").value = work.bytes ? bytes / work.bytes : 0;
    this.#part("sent").textContent = `${megabytes(bytes)} of ${megabytes(work.bytes)} sent`;
    this.#part("rate").textContent = rate ? `${megabytes(rate)}/s, ${duration(left_s)} left` : "";
  }

  #wait(reason) {
    this.#part("rate").textContent = `${reason} Trying again.`;
    this.#say(`${reason} Trying again.`);
  }

  // Stopped by the person, by a refusal, or because the server stayed away: what landed stays, the rest can follow.
  #stopped(error, work) {
    const byHand = error.name === "AbortError" || this.#abort.signal.aborted;
    this.#abort = null;
    if (work.job === null && !byHand && error.kind === "refused") this.#work = null;
    const lead = work.job === null ? "Nothing was imported." : "The rest was not sent.";
    this.#refuse(byHand ? "" : error.message, lead);
    this.#show();
    this.#say(byHand ? "Stopped." : "");
  }

  #refuse(message, lead = "Nothing was imported.") {
    const place = this.#part("refused");
    place.replaceChildren();
    if (!message) return;
    const text = element("p", {}, element("strong", {}, lead), ` ${message}`);
    place.append(element("div", { class: "banner", "data-tone": "stop" }, icon("stop"), text));
  }

  #say(sentence) {
    this.#part("said").textContent = sentence;
  }
}

const numbered = (made) => made.map((batch) => ({ ...batch, client_id: uuid() }));

function duration(seconds) {
  const minutes = Math.floor(seconds / 60);
  return minutes ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

customElements.define("image-upload", ImageUpload);
