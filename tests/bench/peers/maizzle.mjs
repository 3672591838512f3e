// Maizzle's own way: a folder of .md templates in its Markdown layout, Tailwind, plain text.
// The archive is built by `maizzle build`, which uses worker threads by itself.
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { render } from "@maizzle/framework";
import { files, folder, out, timed, touched } from "./race.mjs";

const config = { content: [`${folder}/*.md`], output: { path: out }, plaintext: true };
writeFileSync("maizzle.config.js", `export default ${JSON.stringify(config)};`);

const one = async (file) => {
  const { html, plaintext } = await render(join(folder, file), config);
  writeFileSync(join(out, file.replace(/md$/, "html")), html);
  writeFileSync(join(out, file.replace(/md$/, "txt")), plaintext);
};
await one(files[0]);
console.log("first");
const warm = [];
for (const file of files.slice(1, 6)) warm.push(await timed(() => one(file)));
const again = await touched(one);
const archive = await timed(() => {
  const cli = spawnSync(process.execPath, ["node_modules/.bin/maizzle", "build"], { encoding: "utf8" });
  if (cli.status) throw new Error(cli.stdout + cli.stderr);
});
const pages = readdirSync(out).filter((name) => name.endsWith(".html"));
if (pages.length < files.length) throw new Error(`${pages.length} of ${files.length} built`);
const bytes = pages.map((name) => readFileSync(join(out, name)).length);
const answer = { warm_ms: warm, touched_ms: again, archive_ms: archive / files.length, html_bytes: bytes };
console.log(JSON.stringify(answer));
