// nodemailer, as its documentation has it for many mails: a pool, each mail made for its reader.
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const nodemailer = require("nodemailer");
const { mails, subject, text, html, tokens, transport: asked } = JSON.parse(process.argv[2]);
const transport = nodemailer.createTransport({
  host: "127.0.0.1",
  secure: false,
  ignoreTLS: true,
  pool: true,
  maxConnections: 10,
  maxMessages: Infinity,
  ...asked,
});
const filled = (letter, number) =>
  letter
    .replaceAll(tokens.first_name, `Pat${number}`)
    .replaceAll(tokens.address, `p${number}@example.com`)
    .replaceAll(tokens.unsubscribe_url, `https://letters.example.org/u/${number}`);

const began = performance.now();
const before = process.cpuUsage();
let next = 0;
const lane = async () => {
  while (next < mails) {
    const number = next++;
    await transport.sendMail({
      from: "Still Point <letters@example.org>",
      to: `Pat${number} Doe <p${number}@example.com>`,
      subject: filled(subject, number),
      messageId: `<${number}@example.org>`,
      text: filled(text, number),
      html: filled(html, number),
    });
  }
};
await Promise.all(Array.from({ length: 20 }, lane));
const seconds = (performance.now() - began) / 1000;
const used = process.cpuUsage(before);
transport.close();
console.log(JSON.stringify({ mails, seconds, cpu_s: (used.user + used.system) / 1e6 }));
