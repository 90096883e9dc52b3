// A file of claims: sent, scrubbed, and gone through as a work list.
import { ask, at, dialog, el, findingItem } from "./dom.js";

const PARTS = ["", "id", "codes", "date", "age", "birth_date", "sex", "setting", "payer", "payer_id", "documented", "code", "sequence", "codetype"];
const DOWNLOADS = { "findings.csv": "Findings as CSV", "findings.xlsx": "Work list for Excel", "rejects.csv": "Rejected rows", "report.html": "Report" };
let file = null;
let sent = null;
let offset = 0;
const PAGE = 50;

const tell = (words, bad = false) => {
  at("file-told").className = bad ? "problem" : "";
  at("file-told").textContent = words;
};

async function send(chosen, map = "") {
  sent = chosen;
  at("work").hidden = true;
  at("columns").replaceChildren();
  at("progress").hidden = false;
  at("progress").removeAttribute("value");
  tell(`Reading ${chosen.name} …`);
  try {
    const saved = map || localStorage.getItem(`columns ${chosen.name.replace(/[0-9]+/g, "#")}`) || "";
    const query = new URLSearchParams({ name: chosen.name, ...(saved ? { map: saved } : {}) });
    const taken = await ask(`/v1/files?${query}`, { method: "POST", body: chosen, type: "application/octet-stream", raw: true });
    sessionStorage.setItem("file", taken.id);
    await follow(taken.id);
  } catch (error) {
    at("progress").hidden = true;
    tell(error.message, true);
  }
}

async function follow(id) {
  for (;;) {
    const said = await ask(`/v1/files/${id}`);
    if (said.state === "reading") {
      at("progress").hidden = false;
      if (said.read && said.size) at("progress").value = Math.min(1, said.read / said.size);
      tell(`Reading ${said.name || "the file"}${said.claims ? `: ${said.claims.toLocaleString("en-US")} claims` : ""} …`);
      await new Promise((resolve) => setTimeout(resolve, 400));
      continue;
    }
    at("progress").hidden = true;
    if (said.state === "failed") {
      tell(said.problem, true);
      if (sent) askForColumns({}, []);
      return;
    }
    file = { id, ...said };
    return opened();
  }
}

function opened() {
  const { summary, name } = file;
  const number = (value) => Number(value).toLocaleString("en-US");
  const by = Object.entries(summary.by_severity || {}).filter(([, n]) => n).map(([word, n]) => `${number(n)} ${word}${n > 1 && word !== "info" ? "s" : ""}`);
  tell(`${name}: ${number(summary.claims_in)} claims, ${number(summary.evaluated)} evaluated, ${number(summary.rejected)} rejected; ${by.join(", ") || "no findings"}.`);
  const reading = Object.values(summary.reading || {})[0] || {};
  const ignored = Object.values(summary.ignored_columns || {}).flat();
  if (reading.columns || ignored.length) askForColumns(reading.columns || {}, ignored);
  const remarks = [...(summary.notices || []), ...Object.values(summary.remarks || {}).flat(), ...(summary.first_rejected || []).slice(0, 3).map((one) => (typeof one === "string" ? one : JSON.stringify(one)))];
  if (remarks.length) at("columns").append(el("details", {}, el("summary", {}, "What was noticed while reading"), el("ul", {}, remarks.map((one) => el("li", {}, String(one))))));
  at("downloads").replaceChildren(...Object.entries(DOWNLOADS).map(([what, text]) => el("button", { type: "button", onclick: (event) => download(what, event.currentTarget) }, text)));
  at("work").hidden = false;
  offset = 0;
  list(true);
}

/** Show which column was read as what; corrections are sent again and kept for files of this name. */
function askForColumns(columns, ignored) {
  const all = [...Object.keys(columns), ...ignored.filter((one) => !(one in columns))];
  if (!all.length) return;
  const selects = all.map((column) => {
    const select = el("select", { "aria-label": `What column ${column} holds` }, PARTS.map((part) => el("option", { value: part }, part || "not used")));
    const part = columns[column] || "";
    if (part && !PARTS.includes(part)) select.append(el("option", { value: part }, part));
    select.value = part;
    return [column, select];
  });
  at("columns").append(el("details", {}, el("summary", {}, `Columns: ${Object.keys(columns).length} read, ${ignored.length} not used`),
    el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Column"), el("th", { scope: "col" }, "Holds"))),
      el("tbody", {}, selects.map(([column, select]) => el("tr", {}, el("td", {}, column), el("td", {}, select)))))),
    el("p", { class: "buttons" }, el("button", {
      type: "button",
      disabled: !sent,
      onclick: () => {
        const parts = new Map();
        for (const [column, select] of selects) if (select.value) parts.set(select.value, [...(parts.get(select.value) || []), column]);
        const map = [...parts].map(([part, names]) => `${part}=${names.join("+")}`).join(",");
        localStorage.setItem(`columns ${sent.name.replace(/[0-9]+/g, "#")}`, map);
        send(sent, map);
      },
    }, "Read again with these columns, and remember them"))));
}

async function list(renew = false) {
  const form = new FormData(at("filters"));
  const query = new URLSearchParams({ offset, limit: PAGE });
  for (const [name, value] of form) if (value) query.set(name, value);
  try {
    const found = await ask(`/v1/files/${file.id}/claims?${query}`);
    const last = Math.min(offset + PAGE, found.total);
    at("work-told").textContent = found.total ? `Claims ${offset + 1} to ${last} of ${found.total.toLocaleString("en-US")} with such findings.` : "No claim has such a finding.";
    at("back").disabled = offset === 0;
    at("next").disabled = last >= found.total;
    at("list").replaceChildren(...found.claims.map(claimItem));
    if (renew) {
      const select = at("filters").elements.rule;
      select.replaceChildren(el("option", { value: "" }, "all"), ...found.rules.map((one) => el("option", { value: one.rule }, `${one.title || one.rule} (${one.findings})`)));
    }
  } catch (error) {
    at("work-told").textContent = error.message;
  }
}

function claimItem(claim) {
  return el("li", {},
    el("h3", {}, "Claim ", el("button", { type: "button", class: "link", onclick: () => openClaim(claim.claim_id) }, claim.claim_id)),
    el("ul", { class: "findings" }, claim.findings.map((one) => findingItem(one,
      one.noted ? el("p", { class: "help" }, `Set aside by ${one.noted.by}: ${one.noted.reason} `, el("button", { type: "button", onclick: () => waive(one, true) }, "Take back"))
        : el("button", { type: "button", onclick: () => askForReason(one) }, "Set aside …")))));
}

async function openClaim(id) {
  try {
    const { claim } = await ask(`/v1/files/${file.id}/claim?claim_id=${encodeURIComponent(id)}`);
    document.dispatchEvent(new CustomEvent("open-claim", { detail: claim }));
  } catch (error) {
    dialog("The claim cannot be shown", el("p", {}, error.message));
  }
}

function askForReason(finding) {
  const reason = el("textarea", { rows: "3", required: true });
  const by = el("input", { required: true, value: localStorage.getItem("name") || "" });
  const box = dialog("Set a finding aside", el("p", {}, finding.message),
    el("form", {
      onsubmit: async (event) => {
        event.preventDefault();
        localStorage.setItem("name", by.value.trim());
        box.close();
        await waive({ ...finding, reason: reason.value, by: by.value });
      },
    }, el("label", {}, "Why it does not apply ", reason), el("label", {}, "Your name ", by), el("p", {}, el("button", {}, "Set aside"))));
  reason.focus();
}

async function waive(finding, undo = false) {
  try {
    const { claim_id, finding_id, rule, reason = "", by = "" } = finding;
    await ask(`/v1/files/${file.id}/waivers`, { method: "POST", body: { claim_id, finding_id, rule, reason, by, ...(undo ? { undo } : {}) } });
    await list();
  } catch (error) {
    dialog("The finding was not set aside", el("p", {}, error.message));
  }
}

async function download(what, button) {
  const text = button.textContent;
  button.disabled = true;
  button.textContent = "Preparing …";
  try {
    const blob = await ask(`/v1/files/${file.id}/${what}`);
    const address = URL.createObjectURL(blob);
    el("a", { href: address, download: what }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch (error) {
    dialog("There is no such download", el("p", {}, error.message));
  } finally {
    button.disabled = false;
    button.textContent = text;
  }
}

export function start() {
  const drop = at("drop");
  at("file").addEventListener("change", () => at("file").files[0] && send(at("file").files[0]));
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files[0]) send(event.dataTransfer.files[0]);
    });
  }
  at("filters").addEventListener("submit", (event) => event.preventDefault());
  let wait = 0;
  at("filters").addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(() => { offset = 0; list(); }, 250); });
  at("back").addEventListener("click", () => { offset = Math.max(0, offset - PAGE); list(); });
  at("next").addEventListener("click", () => { offset += PAGE; list(); });
  const before = sessionStorage.getItem("file");
  if (before) follow(before).catch(() => { sessionStorage.removeItem("file"); tell(""); at("progress").hidden = true; });
}
