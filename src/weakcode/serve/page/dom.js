// Elements and the server: what all parts of the page use.

/** Make an element: attributes by name, listeners by on…, children as text or elements. Text is never read as HTML. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const at = (id) => document.getElementById(id);

/** Show a dialog with a title and content; it closes by Escape or its button. */
export function dialog(title, ...content) {
  const box = at("dialog");
  box.replaceChildren(
    el("h2", { id: "dialog-title" }, title),
    ...content,
    el("p", { class: "buttons" }, el("button", { type: "button", onclick: () => box.close() }, "Close")),
  );
  if (!box.open) box.showModal();
  return box;
}

/** What the server refused, in its own words. */
export class Refused extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

let token = sessionStorage.getItem("token") || "";

/** Ask the server; returns what it answers, parsed. Asks for a token where the server needs one. */
export async function ask(path, { method = "GET", body, type = "application/json", signal, raw = false } = {}) {
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = type;
  let answer;
  try {
    answer = await fetch(path, { method, headers, signal, body: body === undefined || raw ? body : JSON.stringify(body), cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "The server does not answer. Is weakcode still running?");
  }
  if (answer.status === 401) {
    token = await askForToken();
    return ask(path, { method, body, type, signal, raw });
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, problem.detail || `The server answered ${answer.status}.`);
  }
  if (answer.status === 204) return null;
  return (answer.headers.get("content-type") || "").includes("json") && !path.includes("/summary.json") ? answer.json() : answer.blob();
}

function askForToken() {
  return new Promise((resolve) => {
    const input = el("input", { type: "password", autocomplete: "off", "aria-label": "Token" });
    const box = dialog(
      "This server needs a token",
      el("form", {
        onsubmit: (event) => {
          event.preventDefault();
          sessionStorage.setItem("token", input.value.trim());
          box.close();
          resolve(input.value.trim());
        },
      }, input, el("button", {}, "Continue")),
    );
    input.focus();
  });
}

/** Sources as text: each publication once, with all its places. */
function cited(sources) {
  const places = new Map();
  for (const one of sources) {
    const [title, place] = typeof one === "string" ? [one, ""] : [one.title, one.place];
    places.set(title, (places.get(title) || new Set()).add(place));
  }
  return [...places].map(([title, known]) => [title, ...known].filter(Boolean).join(", "));
}

/** A finding as an item of a list, with what stands behind it. */
export function findingItem(finding, ...more) {
  const sources = cited(finding.sources || []);
  const quotes = (finding.sources || []).map((one) => one.quote).filter(Boolean);
  return el("li", { class: finding.severity },
    el("span", { class: "word" }, finding.severity), " ", finding.message,
    finding.fix ? el("div", {}, "Fix: ", typeof finding.fix === "string" ? finding.fix : finding.fix.description) : null,
    el("details", {},
      el("summary", {}, "Why, and on whose word"),
      quotes.map((quote) => el("blockquote", {}, quote)),
      el("ul", {}, sources.map((source) => el("li", {}, source))),
      el("p", { class: "help" }, `Confidence: ${finding.confidence || "not said"}. Rule: `,
        el("button", { type: "button", class: "link", onclick: () => showRule(finding.rule) }, finding.title || finding.rule)),
    ),
    ...more,
  );
}

/** Show the page of a rule. */
export async function showRule(name) {
  try {
    const rule = await ask(`/v1/rules/${name.split("/").map(encodeURIComponent).join("/")}`);
    const claim = (one) => el("li", {}, el("span", { class: "code" }, one.claim.codes.join(" ")), one.note ? ` ${one.note}` : "");
    const part = (shows) => (rule.examples || []).filter((one) => one.shows === shows);
    dialog(rule.title,
      el("p", { class: "help" }, `${rule.id}: ${rule.severity}, ${rule.confidence}`),
      el("p", {}, rule.why || ""),
      rule.known_problems ? [el("h3", {}, "What it cannot see"), el("p", {}, rule.known_problems)] : null,
      el("h3", {}, "Sources"),
      el("ul", {}, (rule.sources || []).map((one) => el("li", {}, [one.title, one.place].filter(Boolean).join(", "), one.url ? [" ", el("a", { href: one.url, target: "_blank", rel: "noreferrer" }, new URL(one.url).host)] : null))),
      part("pass").length ? [el("h3", {}, "Claims without this finding"), el("ul", {}, part("pass").slice(0, 5).map(claim))] : null,
      part("fail").length ? [el("h3", {}, "Claims with it"), el("ul", {}, part("fail").slice(0, 5).map(claim))] : null,
    );
  } catch (error) {
    dialog("The rule cannot be shown", el("p", {}, error.message));
  }
}
