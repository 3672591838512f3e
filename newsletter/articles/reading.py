"""One file -> one Article: front matter, file name and body brought together.

Enters: the text of a file and where it lies. Leaves: a Reading, that is the Article and what
there is to say about it. Knows no other article.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, tzinfo
from functools import lru_cache
from pathlib import Path, PurePath

from newsletter.articles import body as markdown
from newsletter.articles.body import Body
from newsletter.articles.dates import EXAMPLE, is_placeholder, is_zero, parse_date
from newsletter.articles.entries import Entry
from newsletter.articles.fields import FALSE, TRUE, Fields
from newsletter.articles.frontmatter import FrontMatter, split
from newsletter.articles.keys import meant
from newsletter.articles.naming import MAX_SLUG, FileName, clean_slug, day_in, read_name, title_of
from newsletter.articles.source import Source
from newsletter.model import Article, Letter, Problem, Severity

# Pelican, Nikola, WordPress exports and common habits; any other status is a published one.
UNPUBLISHED = frozenset(
    ("draft", "drafts", "hidden", "private", "skip", "unpublished", "pending", "wip")
)
# Larger than any archive known: an archive beyond it is parsed whole each time.
REMEMBERED = 2048
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file lies: below the issues folder, below the publication's root, and its folder."""

    inside: PurePath
    shown: Path
    folder: Path


@dataclass(frozen=True, slots=True)
class Reading:
    """An Article, what there is to say of it, and on which line its author wrote the slug, None
    when the file's name gave it."""

    article: Article
    place: Place
    problems: tuple[Problem, ...] = ()
    slug_line: int | None = None

    def other_slugs(self) -> Iterator[str]:
        """What else the article may be called when its slug is taken; nothing when its author
        wrote that slug."""
        if self.slug_line is not None:
            return
        article, stem = self.article, read_name(self.place.inside).stem
        if article.number is not None:
            yield f"{article.slug}-{article.number}"
        if article.date is not None:
            yield f"{article.date:%Y-%m-%d}-{article.slug}"
        yield stem
        yield clean_slug("-".join((*self.place.inside.parts[:-1], stem)))


@lru_cache(maxsize=REMEMBERED)
def read(source: Source, place: Place, letter: Letter) -> Reading:
    """The article in the text. Raises ArticleError.

    The same text at the same place is the same article, so the desk, which reads the folder anew
    for every page, parses only what was saved since."""
    return _Reader(source, place, letter).reading()


class _Reader:
    """One pass over one file."""

    def __init__(self, source: Source, place: Place, letter: Letter) -> None:
        self.source, self.place, self.letter = source, place, letter
        self.front: FrontMatter = split(source)
        self.fields = Fields(source, self.front)
        self.name: FileName = read_name(place.inside)
        self.problems: list[Problem] = []

    def reading(self) -> Reading:
        fields = self.fields
        slug, slug_line = self.slug()
        draft = self.draft()
        date = self.date(draft)
        title, body = self.title_and_body(slug)
        separator = fields.line("separator")
        lead, body = markdown.take_lead(body, separator)
        article = Article(
            path=self.place.shown,
            folder=self.place.folder,
            slug=slug,
            title=title,
            subject=fields.line("subject") or title,
            body=body.text,
            body_line=body.line,
            date=date,
            number=self.number(),
            draft=draft,
            summary=fields.line("teaser"),
            lead=lead,
            preheader=fields.line("preheader"),
            image=fields.image(),
            tags=fields.tags(),
            authors=fields.names("authors"),
            language=self.language(),
            url=self.url(),
        )
        self.report_slips()
        article = replace(article, extra=fields.extra())
        return Reading(article, self.place, tuple(self.problems), slug_line)

    def warn(self, line: int | None, code: str, message: str, hint: str = "") -> None:
        self.problems.append(
            Problem(
                path=self.place.shown,
                line=line,
                severity=Severity.WARNING,
                code=code,
                message=message,
                hint=hint,
            )
        )

    # --- slug ---

    def slug(self) -> tuple[str, int | None]:
        """The slug and the line it is written on, None when file name or path gave it."""
        typed = self.fields.entry("slug")
        if typed is not None:
            slug = self.fields.strict_line("slug") or ""
            return self.checked_slug(slug.strip("/"), typed), typed.line
        path = self.fields.line("path")
        from_path = clean_slug(path.strip("/").rpartition("/")[2]) if path else ""
        name = self.name
        if from_path:
            return from_path, None
        other_language = name.language and name.language != self.letter.language
        return (f"{name.slug}.{name.language}" if other_language else name.slug), None

    def checked_slug(self, slug: str, entry: Entry) -> str:
        clean = clean_slug(slug)
        if "/" in slug or "\\" in slug or slug.startswith(".") or not clean:
            raise self.source.error(
                f"`{entry.key}` is no name for a page: '{slug}'",
                entry.line,
                f"write  slug: {clean or self.name.slug}",
            )
        if len(slug.encode()) > MAX_SLUG:
            raise self.source.error(f"`{entry.key}` is longer than {MAX_SLUG} bytes", entry.line)
        if clean != slug:
            self.warn(entry.line, "slug-cleaned", f"the slug is read as `{clean}`")
        return clean

    # --- state, date, number ---

    def draft(self) -> bool:
        """Whether anything says that this is not for everybody yet."""
        said = self.fields.flag("draft")
        hidden = self.fields.entry("hidden")
        if hidden and str(hidden.value).lower() in TRUE | FALSE:
            said = self.fields.flag("hidden") or said
        published = self.fields.entry("published")
        if published and str(published.value).lower() in TRUE | FALSE:
            said = not self.fields.flag("published") or said
        status = self.fields.line("status")
        return bool(said) or self.name.draft or (status or "").lower() in UNPUBLISHED

    def date(self, draft: bool) -> datetime | None:
        """The date of the front matter, else of `path`, else of the file name or folder."""
        entry = self.date_entry()
        if entry is None:
            return self.day_of_name()
        if not isinstance(entry.value, str):
            self.fields.strict_line("date")
        text = self.fields.clean(entry)
        moment = parse_date(text, self.zone)
        if moment is not None:
            return self.day_of_name() if is_zero(moment) else moment
        by_name = self.day_of_name()
        if not is_placeholder(text) or not (draft or by_name):
            raise self.source.error(
                f"`{entry.key}` is no date: '{text}'", entry.line, f"write  {entry.key}: {EXAMPLE}"
            )
        self.warn(entry.line, "date-unfinished", f"`{entry.key}` is not filled in yet: '{text}'")
        return by_name

    @property
    def zone(self) -> tzinfo:
        return self.letter.timezone

    def date_entry(self) -> Entry | None:
        """The entry that holds the date; `published: true` is none."""
        entry = self.fields.entry("date")
        if entry and str(entry.value).lower() in TRUE | FALSE:
            return None
        return entry

    def day_of_name(self) -> datetime | None:
        path = self.fields.line("path")
        day = (day_in(path) if path else None) or self.name.day
        return datetime.combine(day, time(), self.zone) if day else None

    def number(self) -> int | None:
        entry = self.fields.entry("number")
        if entry is None:
            return self.name.number
        text = str(entry.value).strip().lstrip("#")
        if re.fullmatch(r"[0-9]{1,9}", text):
            self.fields.use(entry)
            return int(text)
        if entry.key.lower() != "number":
            return self.name.number  # Hugo's `issue: "Spring"` means something else
        raise self.source.error(f"`number` is no number: '{text}'", entry.line, "write  number: 43")

    # --- title and body ---

    def title_and_body(self, slug: str) -> tuple[str, Body]:
        """The title, and the body without the H1 that says the same."""
        body = Body(self.front.body, self.front.body_line)
        title = self.fields.strict_line("title")
        if title:
            heading = markdown.top_heading(body)
            repeated = heading and markdown.same_words(heading.words, title)
            return title, markdown.without(body, heading) if heading and repeated else body
        heading, whole = markdown.first_heading(body)
        if heading is None or not heading.words:
            return title_of(self.name.slug or slug), body
        return heading.words, markdown.without(body, heading) if whole else body

    # --- the rest ---

    def language(self) -> str | None:
        entry = self.fields.entry("language")
        if entry and isinstance(entry.value, str) and LANGUAGE.fullmatch(entry.value.strip()):
            return self.fields.line("language")
        return self.name.language

    def url(self) -> str | None:
        """The page's address, absolute or from the root; other generators' patterns are none."""
        entry = self.fields.entry("url")
        if entry is None or not isinstance(entry.value, str):
            return None
        text = entry.value.strip()
        if re.match(r"https?://[^\s/]|/(?!/)", text) and not re.search(r"[\s{}<>\"]|/:", text):
            return self.fields.line("url")
        return None

    def report_slips(self) -> None:
        """Warn of every unknown key that looks like a misspelt one, and of a value that YAML takes
        for a comment."""
        for entry in self.front.entries:
            known, line = meant(entry.key), entry.line
            if known:
                message = f"unknown key `{entry.key}`"
                self.warn(line, "key-unknown", message, f"did you mean `{known}`?")
            elif entry.value is None and self.commented(line):
                message = f"`{entry.key}` is empty: what follows # is a comment"
                self.warn(line, "value-comment", message, f'write  {entry.key}: "#..."')

    def commented(self, line: int) -> bool:
        return self.source.line(line).partition(":")[2].lstrip().startswith("#")
