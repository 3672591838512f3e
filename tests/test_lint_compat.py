"""The rules on mail clients: each fires where a client lacks the feature, and is silent where it
has it, where a fallback stands beside it, and where the note is about something else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.lint import Written, check_issue, check_mail
from newsletter.lint.caniemail import clients, facts
from newsletter.lint.caniemail import features as known
from newsletter.lint.caniemail.facts import Support
from newsletter.lint.caniemail.harms import HARMLESS, HARMS, OTHER_RULES
from newsletter.lint.caniemail.notes import CONCERNS
from newsletter.lint.rules import BY_CODE
from newsletter.model import Problem, Readership, Severity
from newsletter.model.look import SHIPPED_LOOKS
from tests.linted import GOOD, Letter
from tests.test_lint_issue import shipped, written
from tests.test_lint_rules import kept, says, styled

GOLDEN = Path(__file__).parent / "golden/letter"
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


def found(letter: Letter, **shares: float) -> dict[str, Problem]:
    """The findings about clients by feature, for readers with these; `outlook__windows`."""
    named = ((name.replace("__", ".").replace("_", "-"), share) for name, share in shares.items())
    issue = written(Path("/nowhere"))
    readership = Readership(tuple(named))
    issue = Written(
        issue=issue.issue,
        letter=replace(issue.letter, readership=readership),
        email=issue.email,
    )
    problems = check_issue(issue, letter.content)
    return {p.code.removeprefix("compat."): p for p in problems if p.code.startswith("compat.")}


def image(source: str) -> Letter:
    return says(f'<img src="https://x.example.org/{source}" width="520" height="200" alt="A lamp">')


# --- every feature ---

VALUES = {
    "css-border": "border:10px solid #000000",
    "css-clear": "clear:inline-start",
    "css-display": "display:inline-block",
    "css-letter-spacing": "letter-spacing:-2px",
    "css-left-right-top-bottom": "position:absolute;left:10px",
    "css-list-style": "list-style:url(https://x.example.org/a.png)",
    "css-overflow": "overflow:scroll",
    "css-position": "position:absolute",
    "css-text-align": "text-align:start",
    "css-text-decoration": "text-decoration:underline dotted",
    "css-text-indent": "text-indent:-10px",
    "css-text-transform": "text-transform:lowercase",
    "css-variables": "--ink:#000000",
    "css-white-space": "white-space:nowrap",
    "css-word-spacing": "word-spacing:1rem",
}
ARGUMENTS = {"nth-child": "(2)", "nth-last-child": "(2)", "nth-of-type": "(2)", "has": "(a)"} | {
    "nth-last-of-type": "(2)",
    "not": "(.a)",
    "lang": "(fr)",
}
COMBINED = {"child": "td > p", "adjacent-sibling": "td + td", "general-sibling": "p ~ p"} | {
    "universal": "*"
}
TAGS = {
    "css-display-none": '<div style="display:none"><table><tr><td>x</td></tr></table></div>',
    "html-hidden": '<div hidden="hidden">x</div>',
    "html-dir": '<p dir="rtl">x</p>',
    "html-aria-label": '<a href="https://example.org/makefiles" aria-label="Makefiles"></a>',
    "html-lists": '<ol reversed=""><li value="3">x</li></ol>',
    "html-popover": '<div popover="auto">x</div>',
    "css-inert-attribute": "<div inert>x</div>",
}


def sample(slug: str) -> Letter:
    """A mail that uses the feature so that it hurts whoever lacks it."""
    if slug == "css-at-media":
        return kept("@media (min-width:600px){.wide{display:block !important}}").saying(WIDE)
    if slug in TAGS:
        return says(TAGS[slug])
    if slug in known.PSEUDOS or slug in known.SELECTORS:
        return kept(f"{selector_of(slug)}{{color:#000000}}")
    if style := style_of(slug):
        return styled(style, "div")
    if slug in known.ELEMENTS:
        return says("<{0}>x</{0}>".format(known.ELEMENTS[slug][0]))
    return image(f"a{known.PICTURES[slug][0]}")


def selector_of(slug: str) -> str:
    if slug in known.SELECTORS:
        return COMBINED[known.SELECTORS[slug][0]]
    name = known.PSEUDOS[slug][0]
    sign = "::" if "-element-" in slug else ":"
    return f".a{sign}{name}{ARGUMENTS.get(name, '')}"


def style_of(slug: str) -> str:
    """A declaration with the feature in it, "" when it is none of CSS."""
    patterns = (
        (known.PROPERTIES, "{}:1px"),
        (known.FUNCTIONS, "color:{}(1px,2px)"),
        (known.UNITS, "margin:2{}"),
        ({s: words for s, (_, words) in known.VALUES.items()}, "display:{}"),
    )
    styles = (pattern.format(words[slug][0]) for words, pattern in patterns if words.get(slug))
    return VALUES.get(slug) or next(styles, "")


WIDE = '<p class="wide" style="display:none;max-height:0;overflow:hidden;mso-hide:all">x</p>'


def lacking(slug: str) -> list[str]:
    """The clients that lack it, those that lack it altogether first."""
    cells = facts().feature(slug).cells
    return [
        each.id
        for support in (Support.NO, Support.PARTLY)
        for each in clients()
        if cells[each.id].support is support
    ]


def having(slug: str) -> list[str]:
    cells = facts().feature(slug).cells
    return [each.id for each in clients() if cells[each.id].support is Support.YES]


@cache
def by_client(slug: str, client: str) -> dict[str, Problem]:
    return found(sample(slug), **{client.replace(".", "__").replace("-", "_"): 100})


@pytest.mark.parametrize("slug", sorted(HARMS))
def test_a_rule_speaks_to_readers_of_a_client_that_lacks_the_feature(slug: str) -> None:
    problem = next(p for client in lacking(slug) if (p := by_client(slug, client).get(slug)))
    assert problem.severity in (HARMS[slug].severity, WARNING, INFO)
    assert facts().tested(slug) in problem.message
    assert problem.hint.endswith(f"https://www.caniemail.com/features/{slug}/")


@pytest.mark.parametrize("slug", sorted(HARMS))
def test_a_rule_is_silent_to_readers_of_a_client_that_has_the_feature(slug: str) -> None:
    for client in having(slug)[:1]:
        assert slug not in by_client(slug, client)


def test_every_feature_has_a_rule_or_a_reason_to_have_none() -> None:
    assert set(facts().rows) == set(HARMS) | set(OTHER_RULES) | HARMLESS
    assert len(facts().rows) == len(HARMS) + len(OTHER_RULES) + len(HARMLESS)
    assert set(OTHER_RULES.values()) <= set(BY_CODE)


def test_every_note_on_a_partly_supported_feature_is_decided() -> None:
    """A new one, after an update, counts half until somebody has read it."""
    undecided = {
        (slug, note)
        for slug in HARMS
        for cell in facts().feature(slug).cells.values()
        for note in cell.notes
        if cell.support is Support.PARTLY
        and note not in facts().feature(slug).guests | facts().feature(slug).guests_only
        and note not in CONCERNS.get(slug, {})
    }
    assert undecided == set()


# --- notes ---

NOTED = [
    ("css-position", styled("position:sticky"), "apple-mail.ios", True),
    ("css-position", styled("position:absolute"), "apple-mail.ios", False),
    ("css-position", styled("position:absolute"), "yahoo.ios", True),
    ("css-border", styled("border:10px solid #000000", "td"), "outlook.windows", True),
    ("css-border", styled("border:2px solid #000000", "td"), "outlook.windows", False),
    ("css-border", styled("border:2px solid #000000", "p"), "outlook.windows", True),
    ("css-overflow", styled("overflow:scroll"), "gmail.android", True),
    ("css-border-radius", styled("border-radius:9px/4px"), "yahoo.ios", True),
    ("css-border-radius", styled("border-radius:9px"), "yahoo.ios", False),
    ("css-text-align", styled("text-align:start"), "gmail.android", False),
    ("css-text-align", styled("text-align:start"), "orange.ios", True),
    ("css-text-transform", styled("text-transform:lowercase"), "outlook.windows", True),
    ("css-text-transform", styled("text-transform:uppercase"), "outlook.windows", False),
    ("css-height", styled("height:40px", "div"), "outlook.windows", True),
    ("css-height", styled("height:40px", "td"), "outlook.windows", False),
    ("css-height", styled("height:40px", "div"), "yahoo.ios", False),
    ("css-pseudo-class-first-child", kept(".a:first-child{color:#000000}"), "outlook.macos", True),
    ("css-pseudo-class-first-child", kept("p:first-child{color:#000000}"), "outlook.macos", False),
    ("html-lists", says("<ol reversed><li>x</li></ol>"), "gmail.ios", True),
    ("html-lists", says('<ol start="3"><li>x</li></ol>'), "gmail.ios", False),
    ("html-lists", says('<ol><li value="3">x</li></ol>'), "outlook.windows", True),
]


@pytest.mark.parametrize(("slug", "letter", "client", "speaks"), NOTED, ids=range(len(NOTED)))
def test_a_note_counts_where_it_concerns_the_use(
    slug: str, letter: Letter, client: str, *, speaks: bool
) -> None:
    shares = {client.replace(".", "__").replace("-", "_"): 100.0}
    assert (slug in found(letter, **shares)) == speaks


def test_mailboxes_of_other_providers_count_a_tenth() -> None:
    problem = found(styled("display:flex"), gmail__ios=100)["css-display-flex"]
    assert "10 % of readers" in problem.message
    problem = found(says("<ruby>x<rt>y</rt></ruby>"), gmail__android=100)["html-ruby"]
    assert "90 % of readers" in problem.message


# --- fallbacks ---

HIDDEN = "display:none;max-height:0;overflow:hidden;mso-hide:all"
GHOST = '<!--[if mso]><table><tr><td width="260"><![endif]--><div style="{}">x</div>'
ROUND = '<table><tr><td bgcolor="#ffffff" style="border-radius:4px">x</td></tr></table>'
NAMED = '<a href="https://example.org/makefiles" aria-label="Makefiles">Makefiles</a>'
GRADIENT = "background-image:linear-gradient(red,blue)"
BLOCK = "display:inline-block"
FIXED = "table-layout:fixed"
CALC = "width:calc(100% - 20px)"


def box(style: str, tag: str = "div") -> Letter:
    return styled(style, tag)


# The feature, a use that hurts, and one that does not.
SPARED = [
    ("css-border-radius", box("border-radius:4px"), says(ROUND)),
    ("css-border-radius", box("border-radius:4px"), box("border-radius:4px;border:1px solid")),
    ("css-display-none", box("display:none"), box(HIDDEN)),
    ("css-max-height", box("max-height:9px"), box(HIDDEN)),
    ("css-display", box(BLOCK), says(GHOST.format(BLOCK))),
    ("css-display", box(BLOCK), box(BLOCK, "span")),
    ("css-display", box(BLOCK), box(f"{BLOCK};width:100%")),
    ("css-min-width", box("min-width:240px"), says(GHOST.format("min-width:240px"))),
    ("css-unit-calc", box(CALC), box(f"width:90%;{CALC}")),
    ("css-unit-rem", box("margin:2rem"), box("margin:32px;margin:2rem")),
    ("css-unit-rem", box("margin:2rem;margin:32px"), box("margin:32px")),
    ("css-variables", box("color:var(--ink)"), box("color:#000000;color:var(--ink)")),
    ("css-linear-gradient", box(GRADIENT), box(f"background-color:#222222;{GRADIENT}")),
    ("css-position", box("position:absolute"), box("position:relative")),
    ("css-white-space", box("white-space:pre-wrap"), box("white-space:pre-wrap", "pre")),
    ("css-height", box("height:40px"), box("height:auto")),
    (
        "css-table-layout",
        says(f'<table style="{FIXED}">'),
        says(f'<table width="100%" style="{FIXED}">'),
    ),
    ("css-selector-adjacent-sibling", kept("td + td{top:0}"), kept("u + .body .x{top:0}")),
    ("css-float", box("float:left"), says('<img align="left" style="float:left">')),
    ("html-aria-label", says(TAGS["html-aria-label"]), says(NAMED)),
    ("html-dir", says('<p dir="rtl">x</p>'), says('<p dir="ltr">x</p>')),
    ("html-hidden", says("<p hidden>x</p>"), says(f'<p hidden style="{HIDDEN}">x</p>')),
    ("css-at-media", sample("css-at-media"), kept("@media (min-width:9px){.px{display:none}}")),
]


@pytest.mark.parametrize(("slug", "bare", "spared"), SPARED, ids=range(len(SPARED)))
def test_a_rule_is_silent_where_a_fallback_stands_beside(
    slug: str, bare: Letter, spared: Letter
) -> None:
    everyone = {"outlook__windows": 40.0, "yahoo": 20.0, "gmail__mobile_webmail": 20.0, "gmx": 20.0}
    assert slug in found(bare, **everyone)
    assert slug not in found(spared, **everyone)


# --- where it stands ---


def test_what_stands_in_style_is_a_step_less_bad_and_in_a_media_query_two() -> None:
    assert found(styled("display:grid"), gmx=100)["css-display-grid"].severity is ERROR
    assert found(kept(".a{display:grid}"), yahoo=50, outlook=50)["css-display-grid"].severity is (
        WARNING
    )
    progressive = kept("@media (min-width:600px){.a{display:grid !important}}")
    assert found(progressive, outlook__windows=50, gmail=50) == {}
    assert found(progressive, orange=100)["css-display-grid"].severity is INFO


def test_a_client_that_drops_style_does_not_count_for_what_stands_in_it() -> None:
    assert "css-opacity" in found(styled("opacity:0.5"), gmail__mobile_webmail=100)
    assert found(kept(".a{opacity:0.5}"), gmail__mobile_webmail=100) == {}


def test_what_only_word_reads_is_judged_by_word_alone() -> None:
    letter = says('<!--[if mso]><div style="position:absolute">x</div><![endif]-->')
    problem = found(letter, outlook__windows=10, gmail=90)["css-position"]
    assert problem.severity is WARNING
    assert "which only Word reads: not in Outlook (10 % of readers" in problem.message
    assert found(letter, gmail=90) == {}
    for shown in ("<!--[if !mso]><!-->{}<!--<![endif]-->", "<!-- {} -->"):
        inside = shown.format('<p style="opacity:1">x</p>')
        assert found(says(inside), outlook__windows=100) == {}


def test_what_is_quoted_is_not_used() -> None:
    for letter in (
        styled("font-family:'calc(1rem)',serif"),
        styled("background-image:url(https://x.example.org/calc(2rem).png);background-color:#fff"),
        styled("font-family:minmax,serif"),
        says("<p>display:flex</p>"),
        kept('[class="a > b:hover::before"]{color:#000000}'),
    ):
        assert found(letter, outlook__windows=50, gmx=50) == {}


MARKUP = st.sampled_from(
    [
        *("<p>", "</p>", '<p style="', '">', "display:flex;", "calc(", ")", "<style>", "</style>"),
        *("@media (max-width:9px){", "}", ".a{", ":has(", "::before", " > ", "*", "<!--[if mso]>"),
        *("<![endif]-->", '<img src="', "http://[x", ".webp", "hidden", "<ruby>", "--x:var(", "x"),
    ]
)


@given(st.lists(MARKUP, max_size=40))
def test_any_mail_can_be_judged(pieces: list[str]) -> None:
    html = "".join(pieces)
    for problem in check_mail(says(html).content):
        if problem.code.startswith("compat."):
            assert problem.code in BY_CODE


# --- how many readers ---


@pytest.mark.parametrize(
    ("share", "severity"), [(40, ERROR), (5, ERROR), (4.9, WARNING), (1, WARNING), (0.9, None)]
)
def test_how_bad_it_is_depends_on_how_many_readers_it_fails(
    share: float, severity: Severity | None
) -> None:
    problem = found(styled("display:flex"), outlook__windows=share).get("css-display-flex")
    assert (problem and problem.severity) == severity


def test_the_finding_names_those_who_suffer_with_their_share() -> None:
    readers = {"outlook__windows": 12.0, "gmx": 6.0, "apple_mail": 80.0}
    problem = found(styled("display:flex"), **readers)["css-display-flex"]
    assert problem.message.startswith("display:flex in <p>: not in Outlook, GMX")
    assert "% of readers; tested 2021-11-02)" in problem.message
    assert problem.clients[:2] == ("Outlook", "GMX (Desktop Webmail)")


def test_a_client_that_nobody_uses_is_not_named() -> None:
    assert found(styled("display:flex"), apple_mail=100) == {}


# --- where it is found ---


def test_a_use_is_found_at_its_line_of_the_article(tmp_path: Path) -> None:
    body = 'Dear you,\n\n<p style="display: flex">x</p>\n'
    problems = check_issue(written(tmp_path, body), styled("display:flex").content)
    [problem] = [p for p in problems if p.code == "compat.css-display-flex"]
    assert (problem.path.as_posix(), problem.line) == ("issues/a.md", 7)


def test_a_use_is_found_at_its_line_of_the_template(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/own.css").write_text(".a { color:#000000 }\n.b { display: flex }\n")
    issue = written(tmp_path)
    letter = replace(issue.letter, templates=tmp_path / "templates")
    problems = check_issue(
        Written(issue=issue.issue, letter=letter, email=issue.email), styled("display:flex").content
    )
    [problem] = [p for p in problems if p.code == "compat.css-display-flex"]
    assert (problem.path.name, problem.line) == ("own.css", 2)


# --- what is shipped ---


def about_clients(written_and_content: tuple[Written, bytes]) -> Iterator[Problem]:
    issue, content = written_and_content
    return (p for p in check_issue(issue, content) if p.code.startswith("compat."))


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_the_letters_that_are_shipped_have_no_finding_not_even_a_note(look: str) -> None:
    assert [str(p) for each in shipped(look) for p in about_clients(each)] == []


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.eml")), ids=lambda file: file.stem)
def test_nor_has_any_construct_that_markdown_has(file: Path) -> None:
    found = check_mail(file.read_bytes(), file)
    assert [str(p) for p in found if p.code.startswith("compat.")] == []


@pytest.mark.parametrize("look", SHIPPED_LOOKS)
def test_nor_have_they_for_readers_who_all_use_one_family(look: str) -> None:
    issue, content = max(shipped(look), key=lambda each: len(each[1]))
    for family in {client.family for client in clients()}:
        letter = replace(issue.letter, readership=Readership(((family, 100.0),)))
        there = Written(issue=issue.issue, letter=letter, email=issue.email)
        found = [p for p in about_clients((there, content)) if p.severity is not INFO]
        assert [str(p) for p in found] == [], family


def test_a_mail_of_which_nothing_is_known_is_judged_by_the_estimate() -> None:
    problems = {p.code: p for p in check_mail(styled("display:flex").content)}
    assert problems["compat.css-display-flex"].severity is ERROR
    assert not [p for p in check_mail(GOOD.content) if p.code.startswith("compat.")]


def test_the_rules_on_clients_cost_little() -> None:
    """Measured at 3 ms for a shipped letter; the bar is 30."""
    from newsletter.lint import compat
    from newsletter.lint.galley import galley_of

    issue, content = shipped()[0]

    def seconds() -> float:
        galley = galley_of(content, issue)
        start = time.process_time()
        for rule in compat.RULES:
            list(rule.look(galley))
        return time.process_time() - start

    assert min(seconds() for _ in range(3)) < 0.3
