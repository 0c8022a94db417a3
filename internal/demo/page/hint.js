// Three lines that say what to do next, and follow where one is.
import { button, isReply, latest } from "./channel.js";
import { strong } from "./dom.js";
import { tried } from "./kept.js";
import { phone } from "./phone.js";
import { t } from "./words.js";

const lines = [...document.querySelectorAll(".hint a")];

export function showHint() {
  const th = latest();
  const actions = th?.root.cards[0].actions.length ?? 0;
  const on = { phone: onPhone(th), channel: onChannel(th, actions), kept: onKept(th, actions) };
  const now = !th ? 0 : actions === 0 ? 2 : on.phone.done || button(th, "claim") === undefined ? 1 : 0;
  Object.values(on).forEach((line, i) => {
    lines[i].querySelector("span")?.remove();
    const text = document.createElement("span");
    text.append(...strong(line.text));
    lines[i].append(text);
    lines[i].classList.toggle("done", Boolean(line.done));
    if (i === now) lines[i].setAttribute("aria-current", "step");
    else lines[i].removeAttribute("aria-current");
  });
}

function onPhone(th) {
  const messages = phone().messages;
  const keys = messages.findLast((m) => m.buttons)?.buttons.flat() ?? [];
  const wrote = messages.some((m) => !m.fromBot && !m.text.startsWith("/"));
  const danger = keys.find((b) => b.style === "danger");
  if (th && wrote) return { text: t("hint.written"), done: true };
  if (th) return { text: t("hint.write") };
  if (!messages.length) return { text: t("hint.start") };
  if (danger) return { text: t("hint.danger", { button: danger.label }) };
  return { text: t(messages.length < 3 && keys.length === 4 ? "hint.choose" : "hint.key") };
}

function onChannel(th, actions) {
  if (!th) return { text: t("hint.wait") };
  if (!actions) return { text: t("hint.closed"), done: true };
  const claim = button(th, "claim");
  if (claim) return { text: t("hint.claim", { button: claim.name }) };
  if (!th.replies.some(isReply)) return { text: t("hint.reply") };
  return { text: t("hint.close", { button: button(th, "close")?.name }) };
}

function onKept(th, actions) {
  const { found, opened } = tried();
  if (!th || (actions && !found && !opened)) return { text: t("hint.later") };
  if (!found) return { text: t("hint.find") };
  if (!opened) return { text: t("hint.open") };
  return { text: t("hint.seen"), done: true };
}
