// What the server keeps: its records, a search in its files, and a case opened
// with the officer's key.
import { el, sync } from "./dom.js";
import { act } from "./server.js";
import { bytes, t, whenSpoken } from "./words.js";

const order = ["wh", "we", "cr", "i", "n", "o", "a", "ce", "e", "t", "#"];
const known = new Map(); // the records' sums, to see what is new
const cases = document.getElementById("case");

let state = { size: 0, records: [], cases: [] };
let found = null;
let opened = null;

/** What was tried so far. */
export const tried = () => ({ found: found !== null && !found.short, opened: opened !== null });

export function showKept(next) {
  state = next;
  sync(document.getElementById("records"), rows(), (r) => r.id, (r) => (r.head === undefined ? drawKind(r) : drawRecord(r)));
  known.clear();
  state.records.forEach((r) => known.set(r.id, r.sum));
  document.getElementById("size").textContent = t("kept.file", { size: bytes(state.size), n: state.records.length });
  const options = state.cases.length ? state.cases : [""];
  const chosen = cases.value;
  const newest = options.length > cases.options.length || !chosen;
  sync(cases, options, String, (code) => el("option", { value: code }, code || t("open.none")));
  cases.value = newest ? options.at(-1) : chosen;
  cases.disabled = document.querySelector("#open button").disabled = !state.cases.length;
}

/** The records by kind, each kind with a row of its own before them. */
function rows() {
  const kinds = new Map(order.map((kind) => [kind, []]));
  for (const r of state.records) {
    if (!kinds.has(r.kind)) kinds.set(r.kind, []);
    kinds.get(r.kind).push(r);
  }
  return [...kinds].filter(([, all]) => all.length).flatMap(([kind, all]) => [{ id: "kind " + kind, kind, n: all.length }, ...all]);
}

function drawKind(k) {
  const who = k.kind[0] === "w" ? "tr.kind.officers" : "tr.kind";
  return el(who, {}, el(
    "th",
    { colspan: 3, scope: "rowgroup" },
    el("b", {}, `${t("kind." + k.kind) || k.kind} × ${k.n}`),
    " ",
    el("span", {}, t("about." + k.kind)),
  ));
}

function drawRecord(r) {
  const fresh = known.size > 0 && known.get(r.id) !== r.sum;
  return el(
    fresh ? "tr.fresh" : "tr",
    {},
    el("td.bytes", {}, r.name),
    el("td.number", {}, r.size.toString()),
    el("td.bytes", {}, r.head.replace(/(.{8})/g, "$1 ").trim() + (r.size > r.head.length / 2 ? " …" : "")),
  );
}

const hit = (f) => f.raw + f.base64 + f.hex + f.utf16 > 0;

function showFound() {
  const out = document.getElementById("found");
  if (!found) return out.replaceChildren();
  if (found.short) return out.replaceChildren(el("p", {}, t("find.short")));
  const n = found.total;
  const verdict = n === 0 ? t("find.none") : n === 1 ? t("find.hit") : t("find.hits", { n });
  out.replaceChildren(
    el(n ? "p.verdict.bad" : "p.verdict.good", {}, `${verdict} — “${found.word}”`),
    el("p", {}, t("find.looked", { n: found.files.length, size: bytes(found.files.reduce((sum, f) => sum + f.size, 0)) })),
    ...found.files.filter(hit).map((f) => el("p", {}, t("find.file", { ...f, size: bytes(f.size) }))),
    el("p", {}, t("find.else", found)),
  );
}

function showOpened() {
  const out = document.getElementById("opened");
  if (!opened) return out.replaceChildren();
  const good = opened.exit === 0;
  out.replaceChildren(
    el(good ? "p.verdict.good" : "p.verdict.bad", {}, t(good ? "open.good" : "open.bad")),
    el("pre.command", {}, "$ " + opened.command),
    el("pre", { tabindex: "0", dir: "auto" }, (opened.output + opened.faults).trim()),
  );
}

export function prepareKept(afterwards) {
  document.getElementById("find").addEventListener("submit", async (ev) => {
    ev.preventDefault();
    const text = document.getElementById("word").value.trim();
    if (!text) return;
    found = (await act("find", { text })) ?? found;
    showFound();
    afterwards();
  });
  document.getElementById("open").addEventListener("submit", async (ev) => {
    ev.preventDefault();
    opened = (await act("open", { data: cases.value })) ?? opened;
    showOpened();
    afterwards();
  });
  whenSpoken(() => {
    document.getElementById("records").replaceChildren();
    cases.replaceChildren();
    showKept(state);
    showFound();
    showOpened();
  });
}
