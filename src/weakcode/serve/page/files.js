// A file of claims: sent, scrubbed, and gone through as a work list.
import { ask, at, dialog, el, findingItem } from "./dom.js";

const PARTS = {
  "": "not used", id: "Claim or account number", codes: "Diagnosis codes", principal: "Principal diagnosis", date: "Service date", age: "Age", birth_date: "Date of birth",
  sex: "Sex", setting: "Setting", payer: "Payer", payer_id: "Payer's id", documented: "Documented facts", code: "Diagnosis code, a row each", sequence: "Place of the code, a row each",
  codetype: "Kind of the code, a row each", poa: "Present on admission", line: "Number of the service line", procedure: "Procedure", pointer: "Diagnosis pointer",
};
const DOWNLOADS = { "findings.csv": "Findings as CSV", "findings.xlsx": "Work list for Excel", "rejects.csv": "Rejected rows", "report.html": "Report" };
let file = null;
let first = 0;
const PAGE = 50;
const MOST_PRINTED = 500;

const tell = (words, bad = false) => {
  at("file-told").className = bad ? "problem" : "";
  at("file-told").textContent = words;
};

const remembered = (name) => `columns ${name.replace(/[0-9]+/g, "#")}`;

function wait(name) {
  at("work").hidden = true;
  at("columns").replaceChildren();
  at("rejected").replaceChildren();
  at("progress").hidden = false;
  at("progress").removeAttribute("value");
  tell(`Reading ${name} …`);
}

async function send(chosen) {
  wait(chosen.name);
  try {
    const saved = localStorage.getItem(remembered(chosen.name)) || "";
    const query = new URLSearchParams({ name: chosen.name, ...(saved ? { map: saved } : {}), ...profile() });
    const taken = await ask(`/v1/files?${query}`, { method: "POST", body: chosen, type: "application/octet-stream", raw: true });
    sessionStorage.setItem("file", taken.id);
    await follow(taken.id);
  } catch (error) {
    at("progress").hidden = true;
    tell(error.message, true);
  }
}

/** The profile that the claim part names: one for the whole page. */
const profile = () => (at("about").elements.profile.value.trim() ? { profile: at("about").elements.profile.value.trim() } : {});

/** Read the file that the server keeps once more, by other columns or another sheet. */
async function again(columns, sheet) {
  const { id, name } = file;
  wait(name);
  try {
    await ask(`/v1/files/${id}/again?${new URLSearchParams(profile())}`, { method: "POST", body: { ...(columns ? { columns } : {}), ...(sheet ? { sheet } : {}) } });
    await follow(id);
  } catch (error) {
    at("progress").hidden = true;
    tell(error.message, true);
    askForColumns(file, true);
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
      file = { id, ...said };
      tell(`${said.problem}${said.columns?.length ? ". Say below which columns hold what." : ""}`, true);
      return askForColumns(file, true);
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
  askForColumns(file, false);
  const remarks = [...(summary.notices || []), ...Object.values(summary.remarks || {}).flat().filter((one) => !one.startsWith("columns were recognized"))].map((one) => one.replace(/; --[a-z-]+[^;]*/g, ""));
  if (remarks.length) at("columns").append(el("details", {}, el("summary", {}, "What was noticed while reading"), el("ul", {}, remarks.map((one) => el("li", {}, String(one))))));
  if (summary.rejected) showRejected();
  const offered = Object.entries(DOWNLOADS).filter(([what]) => what !== "rejects.csv" || summary.rejected);
  at("downloads").replaceChildren(...offered.map(([what, text]) => el("button", { type: "button", onclick: (event) => download(what, event.currentTarget) }, text)),
    el("button", { type: "button", onclick: print }, "Print the work list"));
  at("work").hidden = false;
  first = 0;
  list(true);
}

/** Show which column holds what; corrections are read at once and kept for files of such a name. */
function askForColumns({ name, columns = [], sheets = [], sheet = "" }, open) {
  if (!columns.length && sheets.length < 2) return;
  const selects = columns.map((column) => {
    const select = el("select", { "aria-label": `What column ${column.name} holds` }, Object.entries(PARTS).map(([part, words]) => el("option", { value: part }, words)));
    select.value = column.holds in PARTS ? column.holds : "";
    return [column.name, select];
  });
  const used = columns.filter((one) => one.holds).length;
  const which = sheets.length > 1 ? el("select", {}, sheets.map((one) => el("option", { value: one }, one))) : null;
  if (which) {
    which.value = sheet;
  }
  at("columns").append(el("details", { open }, el("summary", {}, `Columns: ${used} read, ${columns.length - used} not used${which ? `; sheet ${sheet} of ${sheets.length}` : ""}`),
    which ? el("p", {}, el("label", {}, "Sheet ", which), " ", el("button", { type: "button", onclick: () => again(null, which.value) }, "Read this sheet")) : null,
    el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Column"), el("th", { scope: "col" }, "Holds"))),
      el("tbody", {}, selects.map(([column, select]) => el("tr", {}, el("td", {}, column), el("td", {}, select)))))),
    el("p", { class: "buttons" }, el("button", {
      type: "button",
      onclick: () => {
        const chosen = {};
        for (const [column, select] of selects) if (select.value) (chosen[select.value] ||= []).push(column);
        localStorage.setItem(remembered(name), JSON.stringify(chosen));
        again(chosen, which?.value);
      },
    }, "Read again with these columns, and remember them"))));
}

/** Show the rejected rows. */
async function showRejected() {
  try {
    const { rejects, total } = await ask(`/v1/files/${file.id}/rejects`);
    const place = (one) => [one.line ? `Row ${one.line}` : one.place, one.claim_id ? `claim ${one.claim_id}` : ""].filter(Boolean).join(", ");
    at("rejected").replaceChildren(el("details", {}, el("summary", {}, `${total.toLocaleString("en-US")} ${total === 1 ? "row was" : "rows were"} rejected and not judged`),
      el("ul", {}, rejects.map((one) => el("li", {}, `${place(one)}: ${one.reason}`))),
      total > rejects.length ? el("p", { class: "help" }, `The first ${rejects.length}; Rejected rows has all.`) : null));
  } catch (error) {
    at("rejected").replaceChildren(el("p", { class: "problem" }, error.message));
  }
}

/** Print the claims that the filters leave, not the page of them that is shown. */
async function print() {
  const total = await list(false, 0, MOST_PRINTED);
  if (total > MOST_PRINTED) at("work-told").textContent += ` Only the first ${MOST_PRINTED} are printed; filter the list, or take it for Excel.`;
  window.print();
  await list();
}

async function list(renew = false, offset = first, limit = PAGE) {
  const form = new FormData(at("filters"));
  const query = new URLSearchParams({ offset, limit });
  for (const [name, value] of form) if (value) query.set(name, value);
  try {
    const found = await ask(`/v1/files/${file.id}/claims?${query}`);
    const last = Math.min(offset + limit, found.total);
    at("work-told").textContent = found.total ? `Claims ${offset + 1} to ${last} of ${found.total.toLocaleString("en-US")} with such findings.` : "No claim has such a finding.";
    at("back").disabled = offset === 0;
    at("next").disabled = last >= found.total;
    at("list").replaceChildren(...found.claims.map(claimItem));
    if (renew) {
      const select = at("filters").elements.rule;
      select.replaceChildren(el("option", { value: "" }, "all"), ...found.rules.map((one) => el("option", { value: one.rule }, `${one.title || one.rule} (${one.findings})`)));
    }
    return found.total;
  } catch (error) {
    at("work-told").textContent = error.message;
    return 0;
  }
}

function claimItem(claim) {
  return el("li", {},
    el("h3", {}, "Claim ", el("button", { type: "button", class: "link", onclick: () => openClaim(claim.claim_id) }, claim.claim_id),
    " ", el("span", { class: "code" }, claim.codes.join(" "))),
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
  let pause = 0;
  at("filters").addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(() => { first = 0; list(); }, 250); });
  at("back").addEventListener("click", () => { first = Math.max(0, first - PAGE); list(); });
  at("next").addEventListener("click", () => { first += PAGE; list(); });
  const before = sessionStorage.getItem("file");
  if (before) follow(before).catch(() => { sessionStorage.removeItem("file"); tell(""); at("progress").hidden = true; });
}
