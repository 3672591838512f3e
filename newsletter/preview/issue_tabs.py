"""What each tab of an issue's page shows.

Enters: an issue as it is looked at. Leaves: the values for the tab's template. One function a tab.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from newsletter.delivery.addressing import Addressee
from newsletter.delivery.specimen import READER, part
from newsletter.model import Email, Mail
from newsletter.preview.checked import groups, written
from newsletter.preview.difference import difference
from newsletter.preview.gauge import Gauge, weigh
from newsletter.preview.lenses.links import links_in
from newsletter.preview.lenses.outline import headings_in
from newsletter.preview.look import ALL_STATES, Look, frames_of
from newsletter.preview.mime_tree import parts_of
from newsletter.preview.neighbourhood import neighbourhood
from newsletter.preview.readers import choices, fillings, invented
from newsletter.preview.standing import standings
from newsletter.preview.studio import Studio, Study, headers_of
from newsletter.preview.weight import shares, stretches

Values = dict[str, object]


@dataclass(frozen=True, slots=True)
class Desktop:
    """An issue on the desk, looked at in one way as one reader."""

    studio: Studio
    study: Study
    look: Look
    reader: Addressee

    @property
    def mail(self) -> Mail:
        return self.study.mail(self.reader)

    @property
    def html(self) -> str:
        return part(self.mail.content, "html")


def values_of(desk: Desktop) -> Values:
    """What the template of the chosen tab wants."""
    return VALUES[desk.look.tab](desk)


def heaviest(study: Study) -> Gauge:
    """The gauge on the reader whose mail is the heaviest."""
    cases = {case.title: case.addressee for case in invented(study.shelf.letter).values()}
    readers = {READER.name: READER, **cases}
    html = {title: study.html(reader) for title, reader in readers.items()}
    title = max(html, key=lambda each: len(html[each].encode("utf-8", "replace")))
    return weigh(html[title], title)


def _mail(desk: Desktop) -> Values:
    html = desk.html
    return {"frames": frames_of(desk.look), "links": links_in(html), "headings": headings_in(html)}


def _states(_desk: Desktop) -> Values:
    return {"frames": ALL_STATES}


def _text(desk: Desktop) -> Values:
    text = part(desk.mail.content, "plain")
    longest = max(map(len, text.splitlines()), default=0)
    return {"text": text, "longest": longest}


def _markdown(desk: Desktop) -> Values:
    return {"written": written(desk.study, desk.look.file)}


def _source(desk: Desktop) -> Values:
    html = desk.html
    return {"shares": shares(html), "stretches": stretches(html), "size": len(html.encode())}


def _headers(desk: Desktop) -> Values:
    content = desk.mail.content
    return {"headers": headers_of(content), "parts": parts_of(content), "size": len(content)}


def _teasers(desk: Desktop) -> Values:
    shelf = desk.study.shelf
    around = neighbourhood(desk.study.article, shelf, ())
    found = standings(desk.studio, shelf, [each.article for each in around.shown_in])
    return {"around": around, "standings": found.by_slug}


def _reader(desk: Desktop) -> Values:
    mail = desk.mail
    return {
        "choices": choices(desk.studio, desk.study.shelf.letter),
        "fillings": fillings(desk.study, desk.reader),
        "to": f"{desk.reader.name} <{desk.reader.address}>".lstrip(),
        "message_id": mail.message_id,
        "frames": frames_of(desk.look)[:1],
    }


def _checks(desk: Desktop) -> Values:
    return {"groups": groups(desk.study)}


def _diff(desk: Desktop) -> Values:
    study = desk.study
    before, since = last_out(desk.studio, study)
    if before is None:
        return {"since": ""}
    after = study.email
    return {
        "since": since,
        "lines": {
            "Subject": (before.subject, after.subject),
            "Preheader": (before.preheader, after.preheader),
        },
        "text_rows": difference(before.text, after.text),
        "html_rows": difference(before.html, after.html),
    }


def last_out(studio: Studio, study: Study) -> tuple[Email | None, str]:
    """What went out last of this issue, from this desk as a proof or to the subscribers, and words
    on when."""
    slug = study.article.slug
    if slug in studio.kept.proofs:
        return studio.kept.proofs[slug], "the last proof from this desk"
    sent = standings(studio, study.shelf, [study.article]).by_slug[slug].sent
    if sent is None:
        return None, ""
    return sent.email, f"what was {'frozen' if sent.due else 'mailed'} on {sent.at:%d %b %Y}"


VALUES: Mapping[str, Callable[[Desktop], Values]] = {
    "mail": _mail,
    "states": _states,
    "text": _text,
    "markdown": _markdown,
    "source": _source,
    "headers": _headers,
    "teasers": _teasers,
    "reader": _reader,
    "checks": _checks,
    "diff": _diff,
}
