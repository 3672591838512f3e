"""The teaser's words: an article in one or two sentences.

Enters: an Article. Leaves: plain text of at most LONGEST characters on one line, with neither
Markdown nor slots in it: a neighbour's teaser is the same for everybody. Refuses to know where it
is shown.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lxml import etree

from newsletter.compose import allowed_html, dialect, tree, typography
from newsletter.compose.braces import Typed, take_out
from newsletter.errors import ComposeError
from newsletter.model import Article, Letter

LONGEST = 280
# What Gmail and Apple Mail show of a preheader at most.
LONGEST_PREHEADER = 130
# Sentences shorter than this say too little when more could be said.
SHORTEST = 40
LONGEST_SALUTATION = 60
SENTENCES = 2
# Enough Markdown for a first paragraph; link definitions may stand anywhere.
HEAD = 8_000
DEFINITION = re.compile(r"^ {0,3}\[[^\[\]\n]+\]:[ \t]*\S.*$", re.MULTILINE)

NOT_PROSE = frozenset("blockquote table pre ul ol dl figure figcaption".split())  # noqa: SIM905
BLOCKS = ("p", "div", "li", "dt", "dd", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6")
UNSPOKEN = frozenset("img hr script style iframe object svg math video audio form template".split())  # noqa: SIM905

SENTENCE_END = re.compile(
    "(?:[.!?\u2026\u061f\u0964]+[\"'\u201c\u201d\u2019\u00bb)\\]]*(?=\\s|$))"
    "|[\u3002\uff01\uff1f\uff61]+[\u300d\u300f\u201d\u2019\uff09\"')]*"
)
# A full stop after these ends no sentence.
ABBREVIATIONS = frozenset(
    "approx al art bd bzgl bzw ca cf ch chap co dept dr ed eds eg etc ev fig ggf hr hrsg ie inc "  # noqa: SIM905
    "incl inkl jr lic ltd max mag min mme mr mrs ms mt nr no nos núm op p pp par pág phil pl prof "
    "rev s sr sra srta st str tel u usw v vgl vol vs z zzgl jan feb mar apr jun jul aug sep sept "
    "oct okt nov dec dez".split()
)
# "3. Oktober" and "21. Dezember" go on; "in 2026." does not.
MOST_ORDINAL = 31
BLANKS = re.compile(r"[ \t\n\r\f\v\u2028\u2029]+")
# A slot's blank before it goes too when nothing comes in its place: "Dear {{ name }}, hello".
EMPTIED = re.compile(r"[ \t]*\x00(?=[,.;:!?…)\]]|\s|$)")


def summary(article: Article, letter: Letter) -> str:
    """The summary its author gave, else what stands before the "more" mark, else the first real
    paragraph; cut where a sentence ends, or else at a word with an ellipsis. May be empty."""
    language = article.language or letter.language
    for given in (article.summary, article.lead):
        said = _fold(_said(given, language)) if given and given.strip() else ""
        if said:
            return shorten(said)
    return shorten(_first_paragraph(article.body, language), sentences=SENTENCES)


def shorten(text: str, *, sentences: int | None = None) -> str:
    """`text` up to a sentence's end, at most LONGEST characters and `sentences` long."""
    ends = sentence_ends(text)[:sentences]
    if ends and len(ends) == sentences:
        text = text[: ends[-1]].rstrip()
    return _fitted(text, LONGEST)


def snippet(article: Article, letter: Letter) -> str:
    """The summary in the length of an inbox's row: its sentences that fit, if they say enough,
    else its words and an ellipsis. Composition 65."""
    return _fitted(summary(article, letter), LONGEST_PREHEADER)


def _fitted(text: str, longest: int) -> str:
    """The sentences that fit, if they say enough, else the words."""
    fitting = [end for end in sentence_ends(text) if end <= longest]
    if len(text) > longest and fitting and fitting[-1] >= SHORTEST:
        return text[: fitting[-1]].rstrip()
    return _cut(text, longest)


def sentence_ends(text: str) -> list[int]:
    """The places right after each sentence. An abbreviation, an initial, an ordinal and a stop
    before a small letter end none; Chinese and Japanese sentences need no blank between them."""
    return [match.end() for match in SENTENCE_END.finditer(text) if _ends(text, match)]


def _ends(text: str, match: re.Match[str]) -> bool:
    if not match.group().startswith(".") or match.group().startswith(".."):
        following = text[match.end() :].lstrip()[:1]
        return match.group()[0] not in "….?!" or not following.islower()
    start = max(text.rfind(blank, 0, match.start()) for blank in " (\u00a0\u201c\u2018\"'/") + 1
    word = text[start : match.start()].lower()
    following = text[match.end() :].lstrip()[:1]
    if following.islower():
        return False
    if not following:
        return True
    initial = len(word) == 1 and word.isalpha() and word != "i"
    ordinal = word.isdecimal() and int(word) <= MOST_ORDINAL
    return not (initial or ordinal or "." in word or word in ABBREVIATIONS)


def _cut(text: str, longest: int) -> str:
    """The words that fit, and an ellipsis. Text without blanks is cut between two characters."""
    if len(text) <= longest:
        return text
    head = text[: longest - 1]
    blank = head.rfind(" ")
    if text[longest - 1] != " " and blank > longest // 2:
        head = head[:blank]
    # Never between a letter and its accent, nor inside a joined emoji.
    while len(head) > 1 and re.match("[\u0300-\u036f\u200d\ufe0f\U0001f3fb-\U0001f3ff]",
                                     text[len(head)]):  # fmt: skip
        head = head[:-1]
    return head.rstrip(" ,;:\u2013\u2014-\u3001\uff0c\u200d") + "…"


@lru_cache(maxsize=dialect.REMEMBERED)
def _first_paragraph(body: str, language: str) -> str:
    head = body
    if len(body) > HEAD:
        head = body[: max(body.rfind("\n\n", 0, HEAD), 0) or HEAD]
        head = "\n\n".join((head, *DEFINITION.findall(body[len(head) :])[:200]))
    root, put_back = _rendered(head, language)
    others = ""
    for block in root.iter("p", "li", "dd", "td"):
        said = _fold(put_back(_spoken(block)))
        if not said or said == "[TOC]" or "admonition-title" in tree.classes(block):
            continue
        if block.tag == "p" and not _is_aside(block) and not _is_salutation(said):
            return said
        others = others or said
    return others or _fold(put_back(_spoken(root)))


def _is_salutation(said: str) -> bool:
    """Whether the paragraph only greets ("Dear Ada,"): no teaser, and no preheader."""
    return len(said) <= LONGEST_SALUTATION and said.endswith((",", "\uff0c", "\u060c"))


def _said(markdown: str, language: str) -> str:
    root, put_back = _rendered(markdown, language)
    return put_back(_spoken(root))


def _is_aside(block: etree._Element) -> bool:
    """Whether the paragraph belongs to a quotation, list, table, callout or footnote."""
    return any(
        part.tag in NOT_PROSE or {"admonition", "footnote"} & set(tree.classes(part))
        for part in block.iterancestors()
    )


class _Silence:
    """How the braces of one text are said where no subscriber is known."""

    def __init__(self, text: str) -> None:
        self.text, self.braces = take_out(tree.UNFIT.sub("", text))

    def __call__(self, spoken: str) -> str:
        return EMPTIED.sub("", self.braces.put_back(spoken, _fallback)).replace("\0", "")


def _rendered(text: str, language: str) -> tuple[etree._Element, _Silence]:
    silence = _Silence(text)
    try:
        root = tree.parse(dialect.to_html(silence.text))
    except ComposeError:
        # The article's own rendering says what is wrong with it.
        root = tree.element("div", silence.text[:HEAD])
    typography.smarten_tree(root, language)
    for part in list(root.iterdescendants()):
        names = tree.classes(part)
        if part.tag in UNSPOKEN or "footnote-ref" in names or "footnote" in names:
            tree.drop(part)
    for code in root.iter(*allowed_html.CODE):
        for part in code.iter():
            part.text = silence.braces.put_back(part.text or "", _verbatim)
    return root, silence


def _verbatim(typed: Typed) -> str:
    # A word joiner, unseen: as a preheader this text is looked through for slots again.
    return typed.text.replace("{{", "{\u2060{")


def _fallback(typed: Typed) -> str:
    slot = typed.slot()
    return (slot.fallback if slot else "") or "\0"


def _spoken(part: etree._Element) -> str:
    for broken in part.iter("br", *BLOCKS):
        broken.tail = f" {broken.tail or ''}"
    return tree.words(part)


def _fold(text: str) -> str:
    return BLANKS.sub(" ", text).strip()
