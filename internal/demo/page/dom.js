// Making and keeping elements. Text only ever becomes text: nothing here or
// elsewhere on the page makes markup of it.

/** An element: el("p.note", {title: "x"}, "text", child). Handlers are onclick and the like. */
export function el(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const e = document.createElement(tag);
  if (classes.length) e.classList.add(...classes);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (value === true) e.setAttribute(name, "");
    else if (value !== false && value != null) e.setAttribute(name, value);
  }
  e.append(...children.flat().filter((c) => c != null && c !== false && c !== ""));
  return e;
}

/** A small line drawing that says nothing to who does not see it. */
export function drawing(path) {
  const svg = (name) => document.createElementNS("http://www.w3.org/2000/svg", name);
  const picture = svg("svg");
  const line = svg("path");
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("aria-hidden", "true");
  line.setAttribute("d", path);
  picture.append(line);
  return picture;
}

/**
 * Brings a container's children to a list. An element stays as it is, with
 * focus and what is typed in it, as long as its item does not change. Focus
 * inside one that is made anew goes to the same place in the new one.
 */
export function sync(container, items, key, draw) {
  const old = new Map([...container.children].map((e) => [e.dataset.key, e]));
  let at = container.firstElementChild;
  for (const item of items) {
    const k = key(item);
    const print = JSON.stringify(item);
    let e = old.get(k);
    old.delete(k);
    if (!e || e.print !== print) {
      const fresh = draw(item, e);
      fresh.dataset.key = k;
      fresh.print = print;
      if (e && e !== fresh) {
        if (at === e) at = fresh;
        const focus = focused(e);
        e.replaceWith(fresh);
        focus?.(fresh);
      }
      e = fresh;
    }
    if (e === at) at = e.nextElementSibling;
    else container.insertBefore(e, at);
  }
  old.forEach((e) => e.remove());
}

const focusable = "button, a, input, select, textarea, summary";

/** What puts the focus back into an element that replaces this one. */
function focused(e) {
  if (!e.contains(document.activeElement)) return null;
  const index = [...e.querySelectorAll(focusable)].indexOf(document.activeElement);
  return (fresh) => {
    const all = fresh.querySelectorAll(focusable);
    all[Math.min(index, all.length - 1)]?.focus({ preventScroll: true });
  };
}

/** Runs f, and keeps a list that was at its end at its end. */
export function following(list, f) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  f();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

/** Text in which **words** stand out. */
export function strong(text) {
  return text.split("**").map((part, i) => (i % 2 ? el("b", {}, part) : part));
}

/** Menus close by a choice, by Escape and by a click elsewhere. */
export function menus() {
  const close = (except) =>
    document.querySelectorAll("details.menu[open]").forEach((m) => m !== except && (m.open = false));
  document.addEventListener("click", (ev) => {
    const menu = ev.target.closest("details.menu");
    close(ev.target.closest(".menu > div") ? null : menu);
  });
  document.addEventListener("keydown", (ev) => {
    const menu = ev.key === "Escape" && document.activeElement?.closest("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

/** Enter sends a form, Shift+Enter is a new line. */
export function sendOnEnter(textarea) {
  textarea.addEventListener("keydown", (ev) => {
    if (ev.key !== "Enter" || ev.shiftKey || ev.isComposing) return;
    ev.preventDefault();
    textarea.form.requestSubmit();
  });
}
