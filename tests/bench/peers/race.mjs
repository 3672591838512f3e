// What every peer does: compose the first article, then all of them, then one that was saved again.
// Arguments: the folder of the articles, the folder to write to. The answer is on stdout: a line
// "first" when the first mail is written, at the end one of JSON.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const [folder, out] = process.argv.slice(2);
export const files = readdirSync(folder).sort();
const TOUCHED = 5;

export function article(file) {
  const [, head, markdown] = /^---\n(.*?)\n---\n(.*)$/s.exec(readFileSync(join(folder, file), "utf8"));
  return { title: /title: "(.*)"/.exec(head)[1], markdown };
}

export async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function save(file, turn) {
  const path = join(folder, file);
  const text = readFileSync(path, "utf8").split("\n\nSaved ")[0].trimEnd();
  writeFileSync(path, `${text}\n\nSaved ${turn} times.\n`);
}

export async function touched(work) {
  const file = files[Math.floor(files.length / 2)];
  const ms = [];
  for (let turn = 1; turn <= TOUCHED; turn++) {
    save(file, turn);
    ms.push(await timed(() => work(file)));
  }
  return ms;
}

// `compose` makes { html, text } of { title, markdown }; text where the tool has a plain-text part.
export async function race(compose) {
  const bytes = [];
  const one = async (file) => {
    const { html, text } = await compose(article(file));
    writeFileSync(join(out, file.replace(/md$/, "html")), html);
    if (text) writeFileSync(join(out, file.replace(/md$/, "txt")), text);
    bytes.push(Buffer.byteLength(html));
  };
  await one(files[0]);
  console.log("first");
  const warm = [];
  for (const file of files.slice(1)) warm.push(await timed(() => one(file)));
  const archive = performance.now() / files.length; // from the start of the process
  const again = await touched(one);
  console.log(JSON.stringify({ warm_ms: warm, touched_ms: again, archive_ms: archive, html_bytes: bytes }));
}
