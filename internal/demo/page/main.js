// The demo's page: three sides of one hotline, kept up to date by the server.
import { prepareChannel, showChannel } from "./channel.js";
import { menus } from "./dom.js";
import { showHint } from "./hint.js";
import { prepareKept, showKept } from "./kept.js";
import { preparePhone, showPhone } from "./phone.js";
import { current, speak, t, whenSpoken } from "./words.js";

function translate() {
  document.documentElement.lang = current();
  for (const e of document.querySelectorAll("[data-t]")) e.textContent = t(e.dataset.t);
  for (const e of document.querySelectorAll("[data-l]")) {
    e.setAttribute("aria-label", t(e.dataset.l));
    if (e.matches("button, summary")) e.title = t(e.dataset.l);
  }
  for (const e of document.querySelectorAll("[data-p]")) e.placeholder = t(e.dataset.p);
  for (const b of document.querySelectorAll("[data-language]")) {
    b.setAttribute("aria-pressed", String(b.dataset.language === current()));
  }
}

whenSpoken(translate);
preparePhone();
prepareChannel();
prepareKept(showHint);
whenSpoken(showHint);
menus();
for (const b of document.querySelectorAll("[data-language]")) {
  b.addEventListener("click", () => speak(b.dataset.language));
}

const events = new EventSource("events");
const follow = (name, show) =>
  events.addEventListener(name, (ev) => {
    show(JSON.parse(ev.data));
    showHint();
  });
follow("phone", showPhone);
follow("channel", showChannel);
follow("kept", showKept);
events.addEventListener("open", () => (document.getElementById("lost").hidden = true));
events.addEventListener("error", () => (document.getElementById("lost").hidden = false));
