// The officers' channel: cards, threads, and what one officer at a time does.
import { drawing, el, following, sendOnEnter, sync } from "./dom.js";
import { rich } from "./rich.js";
import { act, announce } from "./server.js";
import { t, time, whenSpoken } from "./words.js";

const threads = document.getElementById("threads");
const officers = document.getElementById("officers");
const whispers = document.getElementById("whispers");
const dialog = document.getElementById("dialog");

// Drawn rather than written: not every machine has letters for them.
const signs = {
  white_check_mark: "m4 12 6 6L20 6",
  hourglass_flowing_sand: "M6 3h12M6 21h12M7 3c0 5 4 6 5 9-1 3-5 4-5 9M17 3c0 5-4 6-5 9 1 3 5 4 5 9",
  lock: "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3",
  x: "M6 6l12 12M18 6 6 18",
};

let state = { officers: [], threads: [], dialogs: {}, whispers: {} };
/** The dialog that is drawn, by its state. */
let asked = "";
let acting = "";
let heard = null; // what was announced last

export const channel = () => state;

/** The latest case's root post, or undefined. */
export const latest = () => state.threads.findLast((th) => th.root.cards.length > 0);

/** A card's button of a name, or undefined. */
export const button = (thread, id) => thread?.root.cards[0]?.actions.find((a) => a.id === id);

/** Whether a reply is an officer's own, and meant for the person. */
export const isReply = (p) => !p.bot && !p.system && !p.deleted && !p.text.startsWith("//");

export function showChannel(next) {
  state = next;
  acting ||= state.officers[0];
  sync(officers, ["", ...state.officers], String, drawOfficer);
  threads.dataset.empty = t("channel.empty");
  const shown = state.threads.filter((th) => !th.root.system);
  following(threads, () => sync(threads, shown, (th) => th.root.id, drawThread));
  const all = Object.entries(state.whispers).flatMap(([officer, said]) => said.map((text) => ({ officer, text })));
  sync(whispers, all, (w) => w.officer + w.text, drawWhisper);
  showDialog();
  speakUp(shown);
}

function drawOfficer(name) {
  if (!name) return el("legend", {}, t("channel.as"));
  const choose = () => {
    acting = name;
    threads.replaceChildren();
    showChannel(state);
  };
  return el(
    "label",
    {},
    el("input", { type: "radio", name: "officer", value: name, checked: name === acting, onchange: choose }),
    el("span", {}, name),
  );
}

function drawThread(th, old) {
  const e = old ?? el("article.thread", {}, el("div.root"), el("div.replies"));
  sync(e.querySelector(".root"), [th.root], (p) => p.id, drawPost);
  sync(e.querySelector(".replies"), th.replies, (p) => p.id, drawPost);
  if (!old && th.root.cards?.length) e.append(drawBox(th)); // The board is nothing to answer.
  return e;
}

function drawPost(p) {
  const own = p.author === acting && !p.deleted;
  return el(
    "div.post",
    {},
    el(`span.face.${p.bot ? "bot" : p.author}`, { "aria-hidden": "true" }, p.author[0].toUpperCase()),
    el(
      "div",
      {},
      el(
        "div.by",
        {},
        el("b", {}, p.author),
        p.bot && el("span.tag", {}, "BOT"),
        p.priority === "urgent" && el("span.tag.urgent", {}, t("channel.urgent")),
        el("time", { datetime: p.at }, time(p.at)),
        p.edited && !p.bot && el("span", {}, t("channel.edited")),
        own && el(
          "span.tools",
          {},
          el("button", { type: "button", onclick: (ev) => startEdit(ev, p) }, t("edit")),
          el("button", { type: "button", onclick: () => act("officer.delete", { officer: acting, post: p.id }) }, t("remove")),
        ),
      ),
      p.deleted
        ? el("div.text.gone", {}, t("channel.deleted"))
        : el("div.text", { dir: "auto" }, rich(p.text, state.officers)),
      p.files?.map((name) => el("p.file", {}, drawing("M6 3h8l4 4v14H6zM14 3v4h4"), name)),
      p.cards.map((c) => drawCard(p, c)),
      p.reactions.length > 0 && el("ul.reactions", {}, p.reactions.map(drawReaction)),
    ),
  );
}

function drawCard(p, c) {
  const card = el(
    "div.card",
    {},
    c.title && el("h4", {}, c.title),
    el("dl", {}, c.fields.map((f) => el(f.short ? "div" : "div.long", {}, el("dt", {}, f.title), el("dd", {}, rich(f.value, state.officers))))),
    c.actions.length > 0 && el("div.actions", {}, c.actions.map((a) => drawAction(p, a))),
    c.footer && el("p.foot", {}, c.footer),
  );
  card.style.setProperty("--tone", c.color);
  return card;
}

/** A card's button, or its menu. */
function drawAction(p, a) {
  if (!a.options?.length) {
    return el(a.style === "primary" ? "button.primary" : "button", {
      type: "button",
      "data-action": a.id,
      onclick: () => act("officer.press", { officer: acting, post: p.id, data: a.id }),
    }, a.name);
  }
  const choose = (ev) => {
    const text = ev.target.value;
    ev.target.value = "";
    act("officer.choose", { officer: acting, post: p.id, data: a.id, text });
  };
  return el(
    "select",
    { "data-action": a.id, "aria-label": a.name, onchange: choose },
    el("option", { value: "" }, a.name),
    a.options.map((o) => el("option", { value: o.value }, o.text)),
  );
}

function drawReaction(r) {
  const meaning = t("sign." + r.emoji);
  const sign = signs[r.emoji] ? drawing(signs[r.emoji]) : `:${r.emoji}:`;
  return el(`li.${r.emoji}`, {}, sign, meaning || r.by.join(", "));
}

/** The box under a thread. It stays as it is while the thread changes. */
function drawBox(th) {
  const words = el("textarea", { rows: 1, dir: "auto", placeholder: t("channel.reply"), "aria-label": t("channel.replyto", { code: th.root.text.replaceAll("*", "") }) });
  const about = el("p", { hidden: true }, t("channel.isnote"));
  const note = () => {
    const is = words.value.trimStart().startsWith("//");
    box.classList.toggle("note", is);
    about.hidden = !is;
  };
  const box = el(
    "form.reply",
    {
      onsubmit: async (ev) => {
        ev.preventDefault();
        const text = words.value.trim();
        if (!text) return;
        const post = box.editing;
        const done = post
          ? act("officer.edit", { officer: acting, post, text })
          : act("officer.post", { officer: acting, post: th.root.id, text });
        if (await done) {
          words.value = "";
          box.editing = "";
          note();
          threads.scrollTop += 200;
        }
      },
    },
    words,
    el("button", {
      type: "button",
      onclick: () => {
        if (!words.value.trimStart().startsWith("//")) words.value = "// " + words.value;
        note();
        words.focus();
      },
    }, t("channel.note")),
    el("button.send", {}, t("send")),
    about,
  );
  words.addEventListener("input", note);
  sendOnEnter(words);
  return box;
}

function startEdit(ev, p) {
  const box = ev.target.closest(".thread").querySelector(".reply");
  const words = box.querySelector("textarea");
  box.editing = p.id;
  words.value = p.text;
  words.dispatchEvent(new Event("input"));
  words.focus();
}

function drawWhisper(w) {
  return el(
    "li",
    {},
    el("span", {}, t("channel.only", { officer: w.officer })),
    w.text,
    el("button", { type: "button", onclick: () => act("officer.understood", { officer: w.officer }) }, t("channel.understood")),
  );
}

/** Shows the dialog that a press opened for the acting officer. What is typed stays. */
function showDialog() {
  const d = state.dialogs[acting];
  if (!d) {
    asked = "";
    if (dialog.open) dialog.close();
    return;
  }
  if (asked !== d.state) {
    asked = d.state;
    document.getElementById("dialog-title").textContent = d.title;
    document.getElementById("dialog-text").replaceChildren(...rich(d.introduction, state.officers));
    document.getElementById("dialog-yes").textContent = d.submit_label;
    document.getElementById("dialog-fields").replaceChildren(...d.elements.map(drawField));
    faulty({});
  }
  if (!dialog.open) dialog.showModal();
}

/** A field of a dialog as a client draws it. */
function drawField(f) {
  const id = "field-" + f.name;
  const common = { id, name: f.name, "aria-describedby": id + "-help" };
  const choices = f.options.length ? f.options : state.officers.map((o) => ({ text: "@" + o, value: o }));
  let field;
  if (f.type === "select" || f.type === "radio") {
    field = el("select", common, el("option", { value: "" }, ""), choices.map((o) => el("option", { value: o.value, selected: o.value === f.default }, o.text)));
  } else if (f.type === "textarea") {
    field = el("textarea", { ...common, rows: "3" }, f.default);
  } else if (f.type === "bool") {
    field = el("input", { ...common, type: "checkbox", checked: f.default === "true" });
  } else {
    field = el("input", { ...common, type: "text", value: f.default, autocomplete: "off" });
  }
  return el(
    "div." + (f.type === "bool" ? "field.tick" : "field"),
    {},
    el("label", { for: id }, f.label + (f.optional ? "" : " *")),
    field,
    el("p.help", { id: id + "-help" }, f.help),
  );
}

/** What is filled in, by the names of the fields. */
function filled() {
  const values = {};
  for (const f of document.querySelectorAll("#dialog-fields [name]")) values[f.name] = f.type === "checkbox" ? String(f.checked) : f.value;
  return values;
}

/** Shows what is wrong with what was filled in, beside each field. */
function faulty(faults) {
  document.getElementById("dialog-fault").textContent = faults[""] ?? "";
  for (const f of document.querySelectorAll("#dialog-fields [name]")) {
    const fault = faults[f.name];
    f.toggleAttribute("aria-invalid", Boolean(fault));
    if (fault) f.setAttribute("aria-invalid", "true");
    const help = document.getElementById(f.id + "-help");
    help.dataset.help ??= help.textContent;
    help.textContent = fault ?? help.dataset.help;
  }
  document.querySelector("#dialog-fields [aria-invalid=true]")?.focus();
}

/** Announces a new card, a new state of one, and the latest reply. */
function speakUp(shown) {
  const th = shown.at(-1);
  const last = th?.replies.at(-1);
  const text = last
    ? `${last.author}: ${last.text.replace(/^> \u2060?/gm, "")} ${last.reactions.map((r) => t("sign." + r.emoji)).join(" ")}`
    : th ? `${th.root.text.replaceAll("*", "")} ${th.root.cards[0]?.fields[0]?.value ?? ""}` : "";
  if (heard !== null && text && text !== heard) announce(t("say.channel", { text }));
  heard = text;
}

export function prepareChannel() {
  document.getElementById("dialog-yes").addEventListener("click", async () => {
    const said = await act("officer.answer", { officer: acting, values: filled() });
    if (!said) return;
    faulty(said.faults ?? {});
  });
  document.getElementById("dialog-no").addEventListener("click", () => {
    dialog.close();
    act("officer.cancel", { officer: acting });
  });
  dialog.addEventListener("cancel", () => act("officer.cancel", { officer: acting }));
  whenSpoken(() => {
    officers.replaceChildren();
    threads.replaceChildren();
    whispers.replaceChildren();
    if (state.officers.length) showChannel(state);
  });
}
