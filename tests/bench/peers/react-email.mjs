// Markdown by react-email's own <Markdown>, and its plain text.
import { Body, Container, Head, Heading, Html, Link, Markdown, Preview, Text } from "@react-email/components";
import { render, toPlainText } from "@react-email/render";
import { createElement as h } from "react";
import { race } from "./race.mjs";

const letter = ({ title, markdown }) =>
  h(Html, { lang: "en" }, [
    h(Head, { key: "head" }),
    h(Preview, { key: "preview" }, title),
    h(Body, { key: "body", style: { backgroundColor: "#f6f8fa", fontFamily: "Georgia, serif" } },
      h(Container, { style: { backgroundColor: "#ffffff", maxWidth: "600px", padding: "0 40px" } }, [
        h(Heading, { key: "title" }, title),
        h(Markdown, { key: "article" }, markdown),
        h(Text, { key: "foot" }, ["You get this letter because you asked for it. ",
          h(Link, { key: "leave", href: "https://letters.example.org/u/" }, "Unsubscribe")]),
      ])),
  ]);

await race(async (article) => {
  const html = await render(letter(article));
  return { html, text: toPlainText(html) };
});
