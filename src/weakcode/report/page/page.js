"use strict";
// Draws the charts, and makes the table of findings sortable and filterable. Everything is on the page already:
// without this script the page still says all it has to say.
(() => {
  const find = (id) => document.getElementById(id);

  function drawCharts() {
    const specs = find("specs");
    if (!specs || !window.vegaEmbed) return Promise.resolve();
    // `ast` evaluates Vega's expressions without eval, which the page's content security policy forbids.
    const options = { mode: "vega-lite", renderer: "svg", actions: false, ast: true, defaultStyle: false };
    options.tooltip = { disableDefaultStyle: true, theme: "report" };
    const drawn = JSON.parse(specs.textContent).map(({ id, spec }) => window.vegaEmbed(find(id), spec, options));
    return Promise.all(drawn);
  }

  // A link to a rule opens the rule, and what it is folded into.
  function openTarget() {
    let place = location.hash.length > 1 ? find(decodeURIComponent(location.hash.slice(1))) : null;
    const target = place;
    for (; place; place = place.parentElement) if (place.tagName === "DETAILS") place.open = true;
    if (target) target.scrollIntoView();
  }

  const RANK = { error: 0, warning: 1, info: 2 };
  const PAGE = matchMedia("(max-width: 760px)").matches ? 20 : 50;
  const collator = new Intl.Collator("en", { numeric: true });

  function makeTable(table) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...body.rows].map((row, place) => ({
      row,
      place,
      text: row.textContent.toLowerCase(),
      severity: Object.keys(RANK).find((name) => row.cells[0].firstElementChild.classList.contains(name)),
      rule: row.cells[2].textContent,
    }));
    const state = { column: -1, down: false, page: 0 };
    let chosen = rows;

    const key = (item, column) => (column ? item.row.cells[column].textContent : String(RANK[item.severity]));

    // Paper has no pages to leaf through: all findings that were asked for are printed, not those of the screen alone.
    function showAll() {
      body.replaceChildren(...chosen.map((item) => item.row));
    }

    function show() {
      const pages = Math.max(1, Math.ceil(chosen.length / PAGE));
      state.page = Math.min(Math.max(state.page, 0), pages - 1);
      const first = state.page * PAGE;
      const seen = chosen.slice(first, first + PAGE);
      body.replaceChildren(...seen.map((item) => item.row));
      const range = seen.length ? `${first + 1}–${first + seen.length} of ${chosen.length.toLocaleString("en")}` : "no finding fits";
      find("state").textContent = range;
      find("back").disabled = state.page === 0;
      find("next").disabled = state.page >= pages - 1;
    }

    function choose() {
      const words = find("search").value.toLowerCase().split(/\s+/).filter(Boolean);
      const severity = find("severity").value;
      const confidence = find("confidence") ? find("confidence").value : "";
      const rule = find("rule").value;
      chosen = rows.filter(
        (item) =>
          (!severity || item.severity === severity) &&
          (!confidence || item.row.dataset.confidence === confidence) &&
          (!rule || item.rule === rule) &&
          words.every((word) => item.text.includes(word)),
      );
      if (state.column >= 0) {
        const sign = state.down ? -1 : 1;
        const keyed = chosen.map((item) => [key(item, state.column), item]);
        keyed.sort(([a, one], [b, other]) => sign * collator.compare(a, b) || one.place - other.place);
        chosen = keyed.map(([, item]) => item);
      }
      state.page = 0;
      show();
    }

    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        state.down = state.column === column && !state.down;
        state.column = column;
        heads.forEach((one) => one.setAttribute("aria-sort", "none"));
        head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
        choose();
      });
    });
    for (const id of ["search", "severity", "confidence", "rule"])
      if (find(id)) find(id).addEventListener("input", choose);
    for (const [id, step] of [["back", -1], ["next", 1]])
      find(id).addEventListener("click", () => {
        state.page += step;
        show();
        find("filters").scrollIntoView({ block: "nearest" });
      });
    window.addEventListener("beforeprint", showAll);
    window.addEventListener("afterprint", show);
    find("filters").hidden = false;
    find("pager").hidden = false;
    choose();
  }

  // What is folded for its length alone is open on paper.
  const folded = document.querySelectorAll("details.more");
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...folded].filter((one) => !one.open);
    for (const one of opened) one.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });

  if (find("table")) makeTable(find("table"));
  window.addEventListener("hashchange", openTarget);
  drawCharts().then(() => {
    document.documentElement.dataset.ready = "yes";
    openTarget();
  });
})();
