// Markdown by marked, inside one mj-text; its CSS inlined by MJML.
import { marked } from "marked";
import mjml2html from "mjml";
import { race } from "./race.mjs";

const css = `
  p, li, td, th, blockquote { font-family: Georgia, serif; font-size: 17px; line-height: 28px; color: #1f2328; }
  p, ul, ol, table, blockquote, pre { margin: 0 0 16px; }
  h2 { font-family: Helvetica, Arial, sans-serif; font-size: 24px; line-height: 30px; margin: 32px 0 12px; }
  a { color: #0b57d0; }
  blockquote { border-left: 4px solid #d0d7de; padding-left: 16px; }
  pre { background-color: #f6f8fa; padding: 12px; font-size: 14px; line-height: 20px; white-space: pre-wrap; }
  th, td { padding: 8px 10px; border-bottom: 1px solid #d0d7de; text-align: left; }
`;

await race(async ({ title, markdown }) => {
  const { html, errors } = await mjml2html(`
    <mjml lang="en">
      <mj-head>
        <mj-title>${title}</mj-title>
        <mj-preview>${title}</mj-preview>
        <mj-style inline="inline">${css}</mj-style>
        <mj-style>@media (prefers-color-scheme: dark) { .sheet { background-color: #161b22 !important } }</mj-style>
      </mj-head>
      <mj-body width="600px" background-color="#f6f8fa">
        <mj-section background-color="#ffffff" css-class="sheet">
          <mj-column>
            <mj-text font-size="30px" line-height="36px"><h1>${title}</h1></mj-text>
            <mj-text padding="0 40px">${marked.parse(markdown)}</mj-text>
            <mj-text font-size="13px">You get this letter because you asked for it.
              <a href="https://letters.example.org/u/">Unsubscribe</a></mj-text>
          </mj-column>
        </mj-section>
      </mj-body>
    </mjml>`);
  if (errors?.length) throw new Error(JSON.stringify(errors));
  return { html };
});
