// As much of Mattermost's Markdown as the hotline writes: bold, quotations, headings,
// lists, links to cards, escapes and mentions; and the red circle, which not every
// machine has.
import { el } from "./dom.js";

/** A post's text as nodes. */
export function rich(text, names) {
  const out = [];
  let quote = null;
  for (const line of text.split("\n")) {
    const quoted = line.match(/^> ?(.*)$/);
    if (quoted) {
      if (quote) quote.append("\n");
      else out.push((quote = el("blockquote")));
      quote.append(...inline(quoted[1], names));
      continue;
    }
    if (out.length && !quote) out.push("\n");
    quote = null;
    out.push(...inline(line, names));
  }
  return out;
}

function inline(line, names) {
  const out = [];
  const token = /\\([\\`*_[\]#>~|!-])|\*\*(.+?)\*\*|@\u2060?([a-z0-9._-]+)|🔴|\[([0-9A-Z]{4}-[0-9A-Z]{4})\]\(https?:[^\s()]+\/_redirect\/pl\/[a-z0-9]+\)/gu;
  let from = 0;
  for (const m of line.matchAll(token)) {
    out.push(line.slice(from, m.index));
    from = m.index + m[0].length;
    if (m[1]) out.push(m[1]);
    else if (m[2]) out.push(el("b", {}, inline(m[2], names)));
    else if (m[4]) out.push(el("b", {}, m[4]));
    else if (m[0] === "🔴") out.push(el("span.dot", {}, m[0]));
    else out.push(names.includes(m[3]) ? el("span.at", {}, m[0]) : m[0]);
  }
  out.push(line.slice(from));
  return out;
}
