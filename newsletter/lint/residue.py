"""Rules on what was not filled in: placeholders of any system, "Hello None" (composition 8).

The judges of deliverability 6 see none of this. Code is left alone: an article may well be about
templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.lint.galley import Galley, Written
from newsletter.lint.page import squeeze
from newsletter.lint.rule import Finding, Findings, error, warning
from newsletter.slots import ALWAYS_FILLED

PLACEHOLDER = re.compile(
    r"\{\{[^{}\n]{0,60}\}\}|\{%[^{}\n]{0,60}%\}|\{#[^{}\n]{0,60}#\}|%%\w[\w .-]{0,40}%%|"
    r"\*\|\w[^|\n]{0,40}\|\*|\$\{[A-Za-z_][\w.]{0,40}\}|<%=?[^%\n]{0,60}%>|\[\[\w+\]\]|"
    r"xslot[0-9a-f]{12}x|%recipient[.\w]*%|\{\{\{?|#\{\w+\}"
)
ENCODED = re.compile(r"%7B%7B|%7B%25|%25%25\w+%25%25|%2A%7C|\{\{|xslot[0-9a-f]{12}", re.IGNORECASE)
NOBODY = r"(?:None|null|undefined|nan|NaN|Undefined|NULL|\(null\)|N/A|\[object Object\])"
GREETING = re.compile(
    r"\b(?:hello|hi|hey|dear|hallo|liebe[rs]?|guten tag|bonjour|salut|ch(?:er|ère)|hola|estimad[oa]"
    rf"|querid[oa]|olá|ciao|car[oa]|beste|good (?:morning|evening))[ ,]+(?-i:{NOBODY})\b",
    re.IGNORECASE,
)
NOBODY_ALONE = re.compile(rf"^\s*{NOBODY}\s*[,!:]|,\s*{NOBODY}\s*[!.?]?$")
EMPTY_GREETING = re.compile(r"(?:hello|hi|hey|dear|hallo|bonjour|hola|olá|ciao)\s+,", re.I)
FALLBACKS = {"first_name": "friend", "name": "friend", "city": "your town"}
HREF_NOBODY = re.compile(r"[/=](?:None|undefined|null|NaN)(?=$|[/?&#])")


def _prose(galley: Galley) -> Iterator[str]:
    """The words of the HTML outside of code, and the lines of the text that are not in code. What
    the teasers say is judged where it was written: with the neighbour."""
    teasers = _teasers(galley)
    literal = " ".join((*teasers, *(run.words for run in galley.page.runs if run.ink.literal)))
    for run in galley.page.runs:
        if not run.ink.literal and run.words and run.words not in teasers:
            yield run.words
    for line in galley.plain.splitlines():
        words = " ".join(line.strip(" |>").split())
        if words and words not in literal:
            yield words


def _teasers(galley: Galley) -> tuple[str, ...]:
    issue = galley.written.issue if galley.written else None
    neighbours = [each for each in (issue.previous, issue.next) if each] if issue else []
    return tuple(squeeze(words) for each in neighbours for words in (each.title, each.summary))


def _typed(galley: Galley, words: str) -> bool:
    """Whether the author wrote it so: neither "None, this week." nor /docs/null is residue."""
    article = galley.written.issue.article if galley.written else None
    return article is not None and any(
        words in text or words in squeeze(text)
        for text in (article.body, article.title, article.subject, article.preheader or "")
    )


def _code(galley: Galley) -> str:
    return "\n".join(run.text for run in galley.page.runs if run.ink.literal)


@error(
    "placeholder",
    "composition 8; deliverability 6",
    "declare the field in [letter] fields, or put it into `code`",
)
def placeholders_are_filled(galley: Galley) -> Findings:
    """A placeholder that nothing filled."""
    code = _code(galley)
    for words in (galley.subject, *_prose(galley)):
        for match in PLACEHOLDER.finditer(words):
            if match[0] not in code:
                yield Finding(f"{match[0]} is not filled", about=(match[0],))
    for link in galley.page.links:
        if found := ENCODED.search(link.href):
            yield Finding(f"{found[0]} in the link {link.href}", about=(link.href, link.words))


@error(
    "greeting-nobody",
    "composition 8; deliverability 6",
    "give the slot a fallback: {{ first_name | friend }}",
)
def nobody_is_greeted(galley: Galley) -> Findings:
    """ "Hello None": a missing value was written out."""
    for words in (galley.subject, *_prose(galley)):
        greeted = GREETING.search(words)
        alone = NOBODY_ALONE.search(words)
        if alone and not greeted and not _typed(galley, alone[0]):
            greeted = alone
        if greeted:
            yield Finding(f'"{words[:60]}"', about=(greeted[0], words))
    for link in galley.page.links:
        if HREF_NOBODY.search(link.href) and not _typed(galley, link.href):
            yield Finding(f"{link.href}", about=(link.href, link.words))


@warning(
    "slot-bare",
    "composition 8",
    "what stands behind the bar is for readers without it: {{ first_name | friend }}",
)
def slots_have_a_fallback(galley: Galley) -> Findings:
    """A field without a fallback, which is a gap for whoever does not have it."""
    if galley.written is None:
        return
    gaps = galley.written.gaps
    for name in _bare_slots(galley.written):
        fallback = FALLBACKS.get(name, "words for those without")
        if gaps is None or not gaps.people:
            said = f"`{name}` has no fallback, a gap for a reader without it"
        elif empty := gaps.empty.get(name, 0):
            said = f"`{name}` is empty for {_of_many(empty, gaps.people)} and has no fallback"
        else:
            continue
        about = tuple(f"{{{{{blank}{name}{blank}}}}}" for blank in (" ", ""))
        yield Finding(f"{said}: write {{{{ {name} | {fallback} }}}}", about=about)


def _bare_slots(written: Written) -> tuple[str, ...]:
    """The names of the slots without a fallback that may be empty for somebody."""
    bare = (slot.name for slot in written.email.slots if not slot.fallback)
    return tuple(dict.fromkeys(name for name in bare if name not in ALWAYS_FILLED))


def _of_many(empty: int, people: int) -> str:
    return f"{empty:,} of {people:,} people" if people > 1 else "the one reader"


@warning(
    "greeting-empty",
    "composition 8",
    "give the slot a fallback: {{ first_name | friend }}",
)
def somebody_is_greeted(galley: Galley) -> Findings:
    """ "Dear ,": a slot without fallback, where nothing else is known of it."""
    if any(slots_have_a_fallback.look(galley)):
        return
    for words in _prose(galley):
        if EMPTY_GREETING.fullmatch(words):
            yield Finding(f'"{words}"', about=(words,))


@error(
    "source-markup",
    "composition 8",
    "look at the article there: the Markdown around it is not what it seems",
)
def templates_are_run(galley: Galley) -> Findings:
    """Statements of a template in the HTML's source, in attributes or comments."""
    for match in re.finditer(r"\{%-?\s*\w+[^%\n]{0,60}%\}", galley.page.html):
        if match[0] not in _code(galley) and match[0] not in galley.page.words:
            yield Finding(match[0], about=(match[0],))
