"""A page of an invented letter, for the tests of templates and inlining."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from newsletter.compose.theme import Page
from newsletter.model import Article, Issue, Letter, Teaser
from tests.sample import letter

OLDER = Teaser(
    title="Sleep, Worry & the Hours After Three",
    summary="What a pillow can and cannot do.",
    url="https://letters.example.org/sleep/",
)
NEWER = Teaser(
    title="Hands & the Winter Garden",
    summary="Ten minutes for ten fingers.",
    url="https://letters.example.org/hands/",
)
# Everything an article's HTML may hold.
BODY = """
<p>Most backs <em>grumble</em> before they <strong>refuse</strong>; see the
<a href="https://example.org/study?a=1&amp;b=2">evidence</a>.<sup><a href="#fn1">1</a></sup></p>
<div class="figure"><img class="photo" src="https://letters.example.org/back.jpg" width="520"
height="260" alt="Hands on a back"><p class="caption">November light.</p></div>
<p><a href="https://example.org/a"><img class="photo" src="https://letters.example.org/leaf.png"
width="260" height="130" alt="A leaf"></a></p>
<h2>The first week</h2>
<ul><li>Walk.</li><li>Heat<ul><li>with a towel</li></ul></li></ul>
<h3>Not</h3><h4>Never</h4>
<ol><li><p class="item">Bed rest.</p><p class="item">Ever.</p></li></ol>
<table role="presentation" border="0" cellpadding="0" cellspacing="0" width="100%"
class="callout callout-warning"><tbody><tr><td>
<p class="callout-title"><strong>Doctor</strong></p><p>Go.</p></td></tr></tbody></table>
<table role="presentation" border="0" cellpadding="0" cellspacing="0" width="100%"
class="quote"><tbody><tr><td><blockquote><p>“The needle reminds.”</p></blockquote></td></tr></tbody>
</table>
<blockquote><p>Plain.</p></blockquote>
<table class="data" border="0" cellpadding="0" cellspacing="0" width="100%"><thead><tr>
<th scope="col">Day</th><th scope="col" align="right">Price</th></tr></thead><tbody><tr>
<td>Monday</td><td align="right">55</td></tr></tbody></table>
<table role="presentation" border="0" cellpadding="0" cellspacing="0" width="100%"
class="code"><tbody><tr><td><pre>a  =  <span class="s">"1"</span>
  b</pre></td></tr></tbody></table>
<table role="presentation" border="0" cellpadding="0" cellspacing="0" class="button">
<tbody><tr><td><a href="https://letters.example.org/book">Book</a></td></tr></tbody></table>
<p><code>x</code> H<sub>2</sub>O</p>
<hr>
<h2 class="notes">Notes</h2><ol class="notes"><li><a name="fn1"></a>Forty trials.</li></ol>
"""


def page(root: Path, body: str = "<p>Hello.</p>", /, **changes: Any) -> Page:
    """The issue of 22 November; `changes` go to the article, the letter and the teasers by name."""
    article = Article(
        path=Path("issues/back.md"),
        folder=root,
        slug="back",
        title="When Your Back Says “Enough” & Rest",
        subject="When your back says “enough” & rest",
        body="",
        date=datetime(2026, 11, 22, 23, 30, tzinfo=UTC),
        number=12,
    )
    house = replace(letter(root), **_those(changes, Letter))
    issue = Issue(
        article=replace(article, **_those(changes, Article)),
        url="https://letters.example.org/back/",
        previous=changes.get("previous", OLDER),
        next=changes.get("next", NEWER),
    )
    return Page(
        issue=issue,
        letter=house,
        body=body,
        subject=article.subject,
        preheader="Ten minutes of walking, a towel, and what a needle reminds a back of.",
    )


def _those(changes: dict[str, Any], noun: type) -> dict[str, Any]:
    own = {"Letter": {"name", "labels", "timezone", "fields", "language"}}.get(noun.__name__)
    own = own or {"title", "number", "date", "extra"}
    return {key: value for key, value in changes.items() if key in own}
