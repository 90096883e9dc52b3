// Which part of the page is shown, as the address says, so that going back works.
import { at } from "./dom.js";
import * as claim from "./claim.js";
import * as codes from "./codes.js";
import * as files from "./files.js";

function route() {
  const [part, name] = location.hash.slice(1).split("/");
  const shown = ["claim", "codes", "files"].includes(part) ? part : "claim";
  for (const one of ["claim", "codes", "files"]) {
    at(`part-${one}`).hidden = one !== shown;
    const tab = document.querySelector(`nav [data-part=${one}]`);
    if (one === shown) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  if (shown === "codes" && name) codes.look(decodeURIComponent(name));
}

document.addEventListener("open-claim", (event) => { claim.open(event.detail); location.hash = "claim"; });
document.addEventListener("add-code", (event) => {
  claim.open({ ...claim.current().about, codes: [...claim.current().codes, event.detail] });
  location.hash = "claim";
});
window.addEventListener("hashchange", route);
for (const part of [claim, codes, files]) part.start();
route();
