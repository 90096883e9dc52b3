// One claim: codes in order, findings beside them, safe fixes, undo.
import { ask, at, dialog, el, findingItem, showRule } from "./dom.js";

const CODE = /(?<![0-9A-Z])[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?(?![0-9A-Z])/gi;
const NEEDS = { age: "the age", sex: "the sex", service_date: "the service date", setting: "the setting", pointers: "service lines with pointers to the diagnoses, which files have" };
const ABOUT = ["age", "sex", "service_date", "setting", "payer", "profile"];
const titles = new Map();
let claim = { codes: [], about: {} };
let past = [];
let asked = 0;
let verdict = null;
let typing = null;

export const current = () => claim;

function keep() {
  sessionStorage.setItem("claim", JSON.stringify(claim));
}

/** Change the claim; what was before can be had again. */
function change(next) {
  past.push(JSON.stringify(claim));
  past = past.slice(-50);
  claim = next;
  keep();
  show();
  judge();
}

/** Take a claim from elsewhere, such as a work list. */
export function open(given) {
  const about = Object.fromEntries(ABOUT.map((name) => [name, given[name] === null || given[name] === undefined ? "" : String(given[name])]));
  const codes = given.codes || (given.diagnoses || []).map((one) => one.code);
  change({ codes, about });
  for (const name of ABOUT) at("about").elements[name].value = claim.about[name] || "";
}

function body() {
  const about = Object.fromEntries(Object.entries(claim.about).filter(([name, value]) => value && name !== "profile"));
  return { codes: claim.codes, ...about };
}

const query = () => (claim.about.profile ? `?profile=${encodeURIComponent(claim.about.profile)}` : "");

async function judge() {
  const mine = ++asked;
  if (!claim.codes.length) {
    verdict = null;
    tell("");
    return show();
  }
  try {
    const found = await ask(`/v1/check${query()}`, { method: "POST", body: body() });
    if (mine !== asked) return;
    verdict = found;
    const by = { error: 0, warning: 0, info: 0 };
    for (const one of found.findings) by[one.severity] += 1;
    const counts = Object.entries(by).filter(([, n]) => n).map(([name, n]) => `${n} ${name}${n > 1 && name !== "info" ? "s" : ""}`);
    tell(counts.length ? `${counts.join(", ")}.` : "Nothing found.", !counts.length);
  } catch (error) {
    if (mine !== asked) return;
    verdict = null;
    tell(error.message, false, true);
  }
  show();
  name();
}

function tell(words, good = false, bad = false) {
  at("told").className = good ? "good" : bad ? "problem" : "";
  at("told").textContent = words;
}

/** Ask for the titles that are not known yet. */
async function name() {
  const missing = [...new Set(claim.codes)].filter((code) => !titles.has(code));
  const day = claim.about.service_date ? `?date=${claim.about.service_date}` : "";
  await Promise.all(missing.slice(0, 60).map(async (code) => {
    try {
      titles.set(code, (await ask(`/v1/codes/${encodeURIComponent(code)}${day}`)).title || "title not known");
    } catch {
      titles.set(code, "");
    }
  }));
  if (missing.length) show();
}

function move(from, to) {
  if (to < 0 || to >= claim.codes.length || from === to) return;
  const codes = [...claim.codes];
  codes.splice(to, 0, ...codes.splice(from, 1));
  change({ ...claim, codes });
  at("diagnoses").children[to]?.querySelector(to > from ? ".down" : ".up")?.focus();
}

function show() {
  const list = at("diagnoses");
  const beside = new Map();
  const others = [];
  for (const finding of verdict?.findings || []) {
    const place = finding.positions[0];
    if (place && place <= claim.codes.length) beside.set(place, [...(beside.get(place) || []), finding]);
    else others.push(finding);
  }
  list.replaceChildren(...claim.codes.map((code, index) => item(code, index, beside.get(index + 1) || [])));
  at("others").replaceChildren(...others.map((one) => findingItem(one)));
  at("empty").hidden = claim.codes.length > 0;
  at("undo").disabled = !past.length;
  at("clear").disabled = !claim.codes.length;
  at("fix").disabled = !(verdict?.findings || []).some((one) => one.fix?.safe);
  const more = [];
  if (verdict?.not_judged?.length) {
    more.push(el("p", { class: "help" }, "Some rules could not judge this claim. They need: ",
      verdict.not_judged.flatMap((one, index) => [index ? "; " : "", `${NEEDS[one.needs] || one.needs} (`, rulesLink(one.rules || []), ")"]), "."));
  }
  if (verdict?.waived?.length) more.push(el("p", { class: "help" }, `${verdict.waived.length} set aside by waivers.`));
  if (verdict) more.push(el("p", { class: "help" }, `Judged by the codes of ICD-10-CM ${verdict.edition} with the notes of ${verdict.notes_edition}.`));
  at("more").replaceChildren(...more);
}

function rulesLink(rules) {
  const text = rules.length === 1 ? "1 rule" : `${rules.length} rules`;
  return el("button", { type: "button", class: "link", onclick: () => dialog("Rules that could not judge", el("ul", {}, rules.map((one) => el("li", {}, el("button", { type: "button", class: "link", onclick: () => showRule(one) }, one))))) }, text);
}

function item(code, index, findings) {
  const button = (label, text, act, kind = "", off = false) =>
    el("button", { type: "button", class: kind, "aria-label": `${label} ${code}`, onclick: act, disabled: off }, text);
  const row = el("li", {
    draggable: "true",
    ondragstart: (event) => event.dataTransfer.setData("text/x-place", String(index)),
    ondragover: (event) => {
      if (event.dataTransfer.types.includes("text/x-place")) {
        event.preventDefault();
        row.classList.add("over");
      }
    },
    ondragleave: () => row.classList.remove("over"),
    ondrop: (event) => {
      event.preventDefault();
      row.classList.remove("over");
      move(Number(event.dataTransfer.getData("text/x-place")), index);
    },
  },
  el("div", { class: "row" },
    el("span", { class: "place" }, `${index + 1}.`),
    el("a", { class: "code", href: `#codes/${encodeURIComponent(code)}` }, code),
    el("span", { class: "name" }, titles.get(code) || ""),
    el("span", { class: "small" },
      button("Move up", "↑", () => move(index, index - 1), "up", index === 0), " ",
      button("Move down", "↓", () => move(index, index + 1), "down", index === claim.codes.length - 1), " ",
      button("Remove", "×", () => change({ ...claim, codes: claim.codes.filter((_, place) => place !== index) })))),
  findings.length ? el("ul", { class: "findings", "aria-label": `Findings about ${code}` }, findings.map((one) => findingItem(one, doIt(one.fix)))) : null);
  return row;
}

/** What one click does for a fix, in words, and the codes after it; null where no click can do it. */
function mended(codes, fix) {
  const places = (fix?.positions || []).map((one) => one - 1);
  if (fix?.action === "add" && fix.code) return { does: `Add ${fix.code}`, after: [...codes, fix.code] };
  if (!places.length) return null;
  const first = codes[places[0]];
  if (fix.action === "replace" && fix.code) {
    return { does: `Put ${fix.code} for ${first}`, after: codes.map((code, place) => (place === places[0] ? fix.code : code)) };
  }
  if (fix.action === "remove" || fix.action === "drop-repeat") {
    const after = codes.filter((_, place) => !places.includes(place));
    return after.length ? { does: fix.action === "remove" ? `Remove ${first}` : `Report ${first} once`, after } : null;
  }
  if (fix.action !== "resequence" || codes.length < 2) return null;
  // The later of two goes before the earlier; one alone goes behind the first, or to the head.
  const from = places.length > 1 ? Math.max(...places) : places[0];
  const to = places.length > 1 ? Math.min(...places) : from ? 0 : 1;
  const after = codes.filter((_, place) => place !== from);
  after.splice(to, 0, codes[from]);
  return { does: `Put ${codes[from]} ${from > to ? "before" : "after"} ${codes[to]}`, after };
}

function doIt(fix) {
  const click = mended(claim.codes, fix);
  return click && el("p", { class: "buttons" }, el("button", { type: "button", onclick: () => change({ ...claim, codes: click.after }) }, click.does));
}

async function fix() {
  try {
    const fixed = await ask(`/v1/fix${query()}`, { method: "POST", body: body() });
    const applied = fixed.applied.map((one) => one.description).join(" ");
    change({ ...claim, codes: fixed.claim.codes || fixed.claim.diagnoses.map((one) => one.code) });
    tell(applied || "There was nothing to fix safely.");
  } catch (error) {
    tell(error.message, false, true);
  }
}

// Typing: suggestions for words, codes taken as they are.

const codesIn = (text) => [...text.matchAll(CODE)].map((match) => match[0].toUpperCase());

/** Whether a text is one code and nothing else. */
const isCode = (text) => codesIn(text)[0] === text.trim().toUpperCase();

/** Take the codes out of a text such as a superbill; tells whether there was one. What was left out is said. */
async function take(text) {
  const day = claim.about.service_date ? `?date=${claim.about.service_date}` : "";
  const found = await ask(`/v1/codes${day}`, { method: "POST", body: { text: text.slice(0, 200_000) } });
  if (!found.codes.length) return false;
  for (const one of found.codes) titles.set(one.code, one.title || "");
  add(found.codes.map((one) => one.code));
  asides(found);
  return true;
}

/** Show what was left out of a pasted text, each with a button that takes it after all. */
function asides({ codes, left_out, doubtful }) {
  const row = (one, button) => el("li", {}, `${one.why}. `, button);
  const items = [
    ...left_out.map((one) => row(one, el("button", { type: "button", "aria-label": `Add ${one.code} all the same`, onclick: (event) => { add([one.code]); event.target.closest("li")?.remove(); } }, "Add all the same"))),
    ...doubtful.map((one) => row(one, el("button", { type: "button", "aria-label": `Remove ${one.code}`, onclick: (event) => { change({ ...claim, codes: claim.codes.filter((code) => code !== one.code) }); event.target.closest("li")?.remove(); } }, "Remove"))),
  ];
  const taken = `${codes.length} ${codes.length === 1 ? "code" : "codes"} taken`;
  at("pasted").replaceChildren(...(items.length ? [
    el("details", { open: true }, el("summary", {}, `${taken}${left_out.length ? `, ${left_out.length} left out` : ""}${doubtful.length ? `, ${doubtful.length} to look at` : ""}`), el("ul", {}, items)),
  ] : []));
}

function add(codes) {
  if (codes.length) change({ ...claim, codes: [...claim.codes, ...codes] });
  at("entry").value = "";
  close();
}

function close() {
  at("choices").hidden = true;
  at("entry").setAttribute("aria-expanded", "false");
  at("entry").removeAttribute("aria-activedescendant");
}

async function suggest() {
  const text = at("entry").value.trim();
  typing?.abort();
  if (text.length < 2 || text.length > 200 || (codesIn(text).length > 1 && !isCode(text))) return close();
  typing = new AbortController();
  const day = claim.about.service_date ? `&date=${claim.about.service_date}` : "";
  try {
    const found = await ask(`/v1/codes?limit=12&q=${encodeURIComponent(text)}${day}`, { signal: typing.signal });
    const hits = found.hits.filter((hit) => hit.is_billable !== false && !hit.is_retired);
    if (at("entry").value.trim() !== text) return;
    if (!hits.length) return close();
    at("choices").replaceChildren(...hits.map((hit, index) => el("li", {
      id: `choice-${index}`, role: "option", "aria-selected": "false", "data-code": hit.code,
      onmousedown: (event) => { event.preventDefault(); titles.set(hit.code, hit.title); add([hit.code]); },
    }, el("span", { class: "code" }, hit.code), ` ${hit.title}`,
      (hit.seventh_characters || []).length > 1 ? ` (7th character: ${hit.seventh_characters.join(", ")})` : "")));
    at("choices").hidden = false;
    at("entry").setAttribute("aria-expanded", "true");
  } catch (error) {
    if (error.name !== "AbortError") close();
  }
}

function select(step) {
  const choices = [...at("choices").children];
  const now = choices.findIndex((one) => one.getAttribute("aria-selected") === "true");
  const next = (now + step + choices.length + (now < 0 && step < 0 ? 1 : 0)) % choices.length;
  choices.forEach((one, index) => one.setAttribute("aria-selected", String(index === next)));
  at("entry").setAttribute("aria-activedescendant", choices[next].id);
  choices[next].scrollIntoView({ block: "nearest" });
}

async function enter() {
  const text = at("entry").value;
  const chosen = at("choices").querySelector("[aria-selected=true]");
  if (chosen && !at("choices").hidden) return add([chosen.dataset.code]);
  if (!text.trim()) return;
  try {
    if (codesIn(text).length && await take(text)) return;
    const found = await ask(`/v1/codes?limit=5&q=${encodeURIComponent(text.trim().slice(0, 200))}`);
    const hit = found.hits.find((one) => one.is_billable !== false && !one.is_retired);
    if (hit) add([hit.code]);
    else tell(`No code fits "${text.trim().slice(0, 80)}".`, false, true);
  } catch (error) {
    tell(error.message, false, true);
  }
}

export function start() {
  try {
    claim = { codes: [], about: {}, ...JSON.parse(sessionStorage.getItem("claim") || "{}") };
  } catch {
    sessionStorage.removeItem("claim");
  }
  const form = at("about");
  for (const name of ABOUT) form.elements[name].value = claim.about[name] || "";
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => {
    change({ ...claim, about: Object.fromEntries(ABOUT.map((name) => [name, form.elements[name].value.trim()])) });
  });
  const entry = at("entry");
  let wait = 0;
  entry.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(suggest, 120); });
  entry.addEventListener("blur", () => setTimeout(close, 150));
  entry.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text");
    if (entry.value.trim() || !codesIn(text).length) return;
    event.preventDefault();
    take(text).then((taken) => {
      if (taken) return;
      entry.value = text.trim().slice(0, 200);
      suggest();
    }, (error) => tell(error.message, false, true));
  });
  entry.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); enter(); }
    else if (event.key === "Escape") close();
    else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !at("choices").hidden) {
      event.preventDefault();
      select(event.key === "ArrowDown" ? 1 : -1);
    }
  });
  at("fix").addEventListener("click", fix);
  at("undo").addEventListener("click", () => {
    claim = JSON.parse(past.pop());
    for (const name of ABOUT) form.elements[name].value = claim.about[name] || "";
    keep();
    show();
    judge();
  });
  at("clear").addEventListener("click", () => { at("pasted").replaceChildren(); change({ codes: [], about: {} }); form.reset(); entry.focus(); });
  at("print").addEventListener("click", () => window.print());
  ask("/readyz").then((said) => { at("profile").hidden = !said.profiles && !form.elements.profile.value; }, () => {});
  show();
  judge();
}
