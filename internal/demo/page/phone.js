// The phone: the chat with the bot as the person sees it.
import { el, following, sendOnEnter, sync } from "./dom.js";
import { act, announce } from "./server.js";
import { t, time, whenSpoken } from "./words.js";

const chat = document.getElementById("chat");
const compose = document.getElementById("compose");
const words = document.getElementById("words");
const start = document.getElementById("start");
const block = document.getElementById("block");
const phones = document.getElementById("phones");
const whose = document.getElementById("whose");

let state = { messages: [], blocked: false, person: 1, phones: 1 };
let editing = 0;
let heard = null; // the bot's last words that were announced

export const phone = () => state;

export function showPhone(next) {
  const changedHands = next.person !== state.person;
  state = next;
  if (changedHands) stopEditing();
  const fresh = state.messages.length === 0;
  start.hidden = !fresh && !state.blocked;
  compose.hidden = !start.hidden;
  block.textContent = t(state.blocked ? "phone.unblock" : "phone.block");
  const others = Array.from({ length: state.phones }, (_, i) => i + 1).filter((n) => n !== state.person);
  sync(phones, others, String, drawPhone);
  whose.textContent = state.phones > 1 ? `${t("phone.bot")} · ${t("phone.person", { n: state.person })}` : t("phone.bot");
  chat.dataset.empty = t("phone.empty");
  following(chat, () => sync(chat, state.messages, (m) => String(m.id), drawMessage));
  const last = state.messages.findLast((m) => m.fromBot);
  const words = last && last.id + last.text;
  if (last && heard !== null && words !== heard) announce(t("say.phone", { text: last.text }));
  heard = words ?? "";
}

/** What takes another phone into the hand. */
function drawPhone(n) {
  return el("button", { type: "button", onclick: () => act("phone.take", { phone: n }) }, t("phone.back", { n }));
}

function drawMessage(m) {
  const bubble = el(
    "div.bubble",
    { dir: "auto" },
    el("span.unseen", {}, (m.fromBot ? t("phone.them") : t("phone.you")) + ": "),
    m.media && el("span.photo", {}, t("phone.picture")),
    m.text,
    el("time", { datetime: m.at }, (m.edited && !m.fromBot ? t("phone.edited") + " " : "") + time(m.at)),
  );
  if (m.fromBot) return el("li", {}, bubble, m.buttons && drawKeys(m));
  const own = el(
    "div.own",
    {},
    !m.media && el("button", { type: "button", onclick: () => edit(m) }, t("edit")),
    el("button", { type: "button", onclick: () => act("phone.delete", { message: m.id }) }, t("remove")),
  );
  return el("li.mine", {}, bubble, own);
}

function drawKeys(m) {
  const rows = m.buttons.map((row) =>
    el("div", {}, row.map((b) =>
      el(b.style === "danger" ? "button.danger" : "button", {
        type: "button",
        onclick: () => act("phone.press", { message: m.id, data: b.data }),
      }, b.label))));
  return el("div.keys", {}, rows);
}

function edit(m) {
  editing = m.id;
  words.value = m.text;
  document.getElementById("editing").hidden = false;
  words.focus();
}

function stopEditing() {
  if (!editing) return;
  editing = 0;
  words.value = "";
  document.getElementById("editing").hidden = true;
}

export function preparePhone() {
  sendOnEnter(words);
  start.addEventListener("submit", async (ev) => {
    ev.preventDefault();
    await act("phone.start");
    words.focus();
  });
  compose.addEventListener("submit", async (ev) => {
    ev.preventDefault();
    const text = words.value.trim();
    if (!text) return;
    const done = editing ? act("phone.edit", { message: editing, text }) : act("phone.say", { text });
    if (await done) {
      stopEditing();
      words.value = "";
      chat.scrollTop = chat.scrollHeight;
    }
  });
  words.addEventListener("keydown", (ev) => ev.key === "Escape" && stopEditing());
  document.getElementById("stop-editing").addEventListener("click", stopEditing);
  document.getElementById("photo").addEventListener("click", () => act("phone.photo"));
  document.getElementById("another").addEventListener("click", () => act("phone.another"));
  block.addEventListener("click", () => act(state.blocked ? "phone.unblock" : "phone.block"));
  for (const b of document.querySelectorAll("[data-command]")) {
    b.addEventListener("click", () => act("phone.say", { text: b.dataset.command }));
  }
  whenSpoken(() => {
    chat.replaceChildren();
    phones.replaceChildren();
    showPhone(state);
  });
}
