// Talking to the demo.
import { t } from "./words.js";

/** Does something; returns the demo's answer, or null if it did not work. */
export async function act(what, values = {}) {
  try {
    const answer = await fetch("act", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ do: what, ...values }),
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const said = await answer.json();
    if (said?.error) throw new Error(said.error);
    return said ?? {};
  } catch (fault) {
    announce(t("say.error", { text: fault.message }));
    return null;
  }
}

/** Tells somebody who does not see the page what happened. */
export function announce(text) {
  document.getElementById("status").textContent = text;
}
