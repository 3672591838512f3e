"""THE CHAIN: the whole main job in one screen. Read this file first.

    issues/2026-11-21-winter.md
      | articles.read_archive -> Archive    every Article, in order; a bad file spoils only itself
      | place                -> Issue       one Article with the teasers of its neighbours
      | render               -> Composed    Email: subject, preheader, html, text, slots inside
      ======== delivery.publish freezes the Email and the audience ========
      | mime.stencil         -> Stencil     encoded once
      | mime.fill            -> Mail        one recipient, only slots filled
      | smtp                 -> Reply       one line in the ledger

Every stage is a plain function of its arguments: same inputs, same bytes. Only this module knows
their order.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from newsletter.articles import Archive, issue_url, neighbours, published
from newsletter.compose import images, markup, plaintext
from newsletter.compose.embedding import Embedded, embed
from newsletter.compose.inline import inline_css
from newsletter.compose.summary import snippet, summary
from newsletter.compose.theme import Page, Theme
from newsletter.compose.typography import smarten
from newsletter.composed import Composed, unfilled_braces
from newsletter.model import Article, Email, Images, Issue, Letter, Slot, Teaser
from newsletter.slots import fill_slots, open_slots


def place(article: Article, archive: Archive, letter: Letter, now: datetime) -> Issue:
    """The article between its neighbours; drafts and future posts are nobody's neighbour."""
    older, newer = neighbours(published(archive, now), article)
    return Issue(
        article=article,
        url=issue_url(article, letter),
        previous=teaser(older, letter) if older else None,
        next=teaser(newer, letter) if newer else None,
    )


def teaser(article: Article, letter: Letter) -> Teaser:
    """What the article shows of itself in its neighbours, where it greets nobody by name."""
    return Teaser(
        title=headline(article, letter),
        summary=summary(article, letter),
        url=issue_url(article, letter),
        image=images.image_url(article, letter, article.image) if article.image else None,
    )


def headline(article: Article, letter: Letter) -> str:
    """The title as the mail has it, for somebody without a name."""
    title, slots = _typeset(article.title, article, letter)
    return fill_slots(title, slots, {})


def render(issue: Issue, theme: Theme, letter: Letter) -> Composed:
    """The issue as every reader receives it, before the slots are filled."""
    article = issue.article
    fragment = markup.to_fragment(issue, letter)
    title, in_title = _typeset(article.title, article, letter)
    subject, in_subject = _typeset(article.subject, article, letter)
    preheader, in_preheader = (
        _typeset(article.preheader, article, letter)
        if article.preheader
        else open_slots(snippet(article, letter), letter.fields)
    )
    page = Page(
        issue=replace(issue, article=replace(article, title=title)),
        letter=letter,
        body=fragment.html,
        subject=subject,
        preheader=preheader,
    )
    document, in_template = theme.fill_html(page)
    text, in_text = theme.fill_text(page, plaintext.to_text(fragment.html, page.strings))
    shown = _with_pictures(inline_css(document), issue, letter)
    slots = (*in_title, *in_subject, *in_preheader, *fragment.slots, *in_template, *in_text)
    email = Email(
        slug=article.slug,
        subject=subject,
        preheader=preheader,
        html=shown.html,
        text=text,
        url=issue.url,
        slots=tuple(dict.fromkeys(slots)),
        pictures=shown.pictures,
    )
    said = (*fragment.problems, *unfilled_braces(article, letter), *shown.problems)
    return Composed(email, said)


def _with_pictures(html: str, issue: Issue, letter: Letter) -> Embedded:
    """The document with its pictures where the letter wants them."""
    if letter.images is Images.HOSTED:
        return Embedded(html, (), ())
    return embed(html, issue.article, letter)


def _typeset(line: str, article: Article, letter: Letter) -> tuple[str, tuple[Slot, ...]]:
    """The line with a token for each slot, its quotation marks like those of the body."""
    opened, slots = open_slots(line, letter.fields)
    return smarten(opened, article.language or letter.language), slots
