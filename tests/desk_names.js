// What has no name, a name twice, or a landmark too few (WCAG 1.3.1, 4.1.2).
() => {
  const wrong = [];
  const name = (element) => (element.getAttribute("aria-label")
    || [...(element.labels || [])].map((label) => label.textContent).join(" ")
    || (element.getAttribute("aria-labelledby") || "").split(" ").map(
      (id) => id && document.getElementById(id) ? document.getElementById(id).textContent : "").join(" ")
    || (element.matches("a, button, summary") ? element.textContent : "")
    || element.getAttribute("title") || "").trim();
  for (const element of document.querySelectorAll(
      "a[href], button, input:not([type=hidden]), select, textarea, iframe, dialog, meter, summary, [role=separator], [role=group], [role=img], [tabindex='0']")) {
    if (!name(element)) wrong.push(`no name: ${element.outerHTML.slice(0, 90)}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) wrong.push(`twice: #${id}`);
  for (const image of document.querySelectorAll("img")) if (!image.hasAttribute("alt")) wrong.push("no alt");
  const levels = [...document.querySelectorAll("main h1, main h2, main h3")]
    .filter((heading) => heading.checkVisibility() && !heading.closest("dialog")).map((heading) => Number(heading.tagName[1]));
  if (levels.filter((level) => level === 1).length !== 1) wrong.push(`${levels}: not one h1`);
  for (const selector of ["html[lang]", "title", "main", "header nav[aria-label]"]) {
    if (!document.querySelector(selector)) wrong.push(`no ${selector}`);
  }
  return wrong;
}
