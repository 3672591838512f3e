// Markdown by marked, our document around it (document.html, not inlined), CSS by juice or css-inline.
import { readFileSync } from "node:fs";
import { marked } from "marked";
import { race } from "./race.mjs";

const inliners = {
  juice: async () => (await import("juice")).default,
  "css-inline": async () => (await import("@css-inline/css-inline")).inline,
};
const inline = await inliners[process.argv[4]]();
const [before, after] = readFileSync(new URL("document.html", import.meta.url), "utf8").split("ARTICLE");

await race(({ title, markdown }) => ({
  html: inline(before.replaceAll("TITLE", title) + marked.parse(markdown) + after),
}));
