// Looking up a code: its place, its notes with links, the rules that touch it, the days on which it is valid.
import { ask, at, el, showRule } from "./dom.js";

const NAMED = /\b[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?(?:\.?-)?/g;
const KINDS = {
  inclusion_term: "Also called", includes: "Includes", excludes1: "Excludes1: not coded here", excludes2: "Excludes2: may be coded too",
  code_first: "Code first", use_additional: "Use additional code", use_additional_code: "Use additional code", code_also: "Code also",
};

/** Text with the codes in it as links. */
function linked(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(NAMED)) {
    parts.push(text.slice(from, match.index), link(match[0].replace(/\.?-$/, ""), match[0]));
    from = match.index + match[0].length;
  }
  return [...parts, text.slice(from)];
}

const link = (name, text = name) => el("a", { href: `#codes/${encodeURIComponent(name)}` }, text);

export async function look(name) {
  const box = at("code");
  try {
    const code = await ask(`/v1/codes/${encodeURIComponent(name)}`);
    const notes = new Map();
    for (const note of code.notes || []) notes.set(note.kind, [...(notes.get(note.kind) || []), note]);
    const sevenths = Object.entries(code.seventh_characters || {});
    box.replaceChildren(
      el("h3", {}, el("span", { class: "code" }, code.code), ` ${code.title || "title not known"}`),
      el("p", { class: "crumbs" }, (code.place || []).flatMap((one, index) => [index ? " › " : "", link(one.name), ` ${one.title}`])),
      el("p", {}, code.billable ? "A billable code. " : "Not billable as it stands. ", typeof code.valid === "string" && code.valid ? `Valid ${code.valid}.` : ""),
      code.billable ? el("p", {}, el("button", { type: "button", onclick: () => document.dispatchEvent(new CustomEvent("add-code", { detail: code.code })) }, "Add to the claim")) : "",
      sevenths.length ? el("div", {}, el("h3", {}, "7th character"), el("ul", {}, sevenths.map(([one, text]) => el("li", {}, el("span", { class: "code" }, one), ` ${text}`)))) : "",
      (code.below || []).length ? el("div", {}, el("h3", {}, "Below it"), el("ul", {}, code.below.map((one) => el("li", {}, link(one.name), ` ${one.title}`)))) : "",
      ...[...notes].map(([kind, found]) => el("div", {}, el("h3", {}, KINDS[kind] || kind.replaceAll("_", " ")),
        el("ul", {}, found.map((note) => el("li", {}, el("span", { class: "crumbs" }, `at ${note.place}: `), note.lines.flatMap((line, index) => [index ? el("br") : "", ...linked(line)])))))),
      (code.rules || []).length ? el("div", {}, el("h3", {}, "Rules about it"), el("ul", {}, code.rules.map((one) => el("li", {},
        el("span", { class: `word ${one.severity}` }, one.severity), " ", el("button", { type: "button", class: "link", onclick: () => showRule(one.rule) }, one.title || one.rule))))) : "",
    );
  } catch (error) {
    box.replaceChildren(el("p", { class: "problem" }, error.message));
  }
}

async function find(text) {
  at("found-told").textContent = "";
  if (!text.trim()) return;
  try {
    const { hits } = await ask(`/v1/codes?limit=25&q=${encodeURIComponent(text.trim().slice(0, 200))}`);
    at("found-told").textContent = hits.length ? `${hits.length} found.` : /^\d{3}\.\d{1,2}$/.test(text.trim()) ? `${text.trim()} has the form of an ICD-9-CM code, which is no code since October 2015. Look for its words.` : "Nothing fits these words.";
    at("found").replaceChildren(...hits.map((hit) => el("li", {}, el("button", { type: "button", onclick: () => { location.hash = `codes/${encodeURIComponent(hit.code)}`; } },
      el("span", { class: "code" }, hit.code), ` ${hit.title} `,
      hit.is_retired ? el("span", { class: "badge" }, `not valid today${hit.successors?.length ? `; now ${hit.successors.slice(0, 4).join(", ")}` : ""}`)
        : hit.is_billable === false ? el("span", { class: "badge" }, "category") : "",
      hit.matched && hit.matched !== hit.title ? el("span", { class: "crumbs" }, ` also called: ${hit.matched}`) : ""))));
  } catch (error) {
    at("found-told").textContent = error.message;
  }
}

export function start() {
  at("find").addEventListener("submit", (event) => { event.preventDefault(); find(at("words").value); });
  let wait = 0;
  at("words").addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(() => find(at("words").value), 250); });
}
