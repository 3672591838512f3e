"""Which key means what: our names first, then those of the generators people come from.

Aliases are read silently and never rewritten (ecosystem 5). Keys are compared without case,
hyphens and underscores, so `publishDate`, `publish_date` and `Publish-Date` are one.
"""

from __future__ import annotations

# The first alias that is present and not empty gives the value.
ALIASES: dict[str, tuple[str, ...]] = {
    "title": ("title", "subject"),
    "subject": ("subject",),
    "date": ("date", "publishdate", "pubdate", "published", "datepublished"),
    "slug": ("slug",),
    "path": ("path",),
    "number": ("number", "issue", "issuenumber"),
    "draft": ("draft",),
    "published": ("published",),
    "status": ("status",),
    "hidden": ("hidden", "unlisted"),
    "teaser": ("teaser", "summary", "excerpt", "description", "subtitle"),
    "separator": ("excerptseparator",),
    "preheader": ("preheader", "previewtext"),
    "image": (
        "image", "cover", "coverimage", "featuredimage", "heroimage", "previewimage", "images",
        "thumbnail", "resources",
    ),
    "tags": ("tags", "tag"),
    "taxonomies": ("taxonomies",),
    "authors": ("authors", "author"),
    "language": ("lang", "language", "locale"),
    "url": ("url", "permalink", "canonical", "canonicalurl"),
}  # fmt: skip

KNOWN = frozenset(alias for aliases in ALIASES.values() for alias in aliases)

# Keys of other programs that stand close to one of ours and are not a slip of the pen.
FOREIGN = frozenset((
    "aliases", "categories", "category", "comment", "comments", "data", "dateline", "id", "ids",
    "iscjklanguage",
    "keywords", "lastmod", "layout", "lead", "link", "links", "list", "math", "menu",
    "modified", "name", "page", "parent", "publish", "state", "stats", "series", "sources", "style",
    "template", "theme", "time", "title_en", "toc", "topic", "type", "types", "uid", "uri", "uuid",
    "update", "updated", "video", "weight", "source", "extra", "label", "labels", "pin", "pinned",
    "notes", "note", "rate", "post", "posts", "plug", "late", "tabs", "cover_alt", "issues",
))  # fmt: skip

# Offered in a hint: one spelling per meaning.
OFFERED = tuple(
    sorted((KNOWN | {"lang"}) - {"path", "separator", "taxonomies", "resources", "tag"})
)
SPELT = {
    "publishdate": "publishDate", "pubdate": "pubDate", "coverimage": "cover_image",
    "featuredimage": "featured_image", "heroimage": "heroImage", "excerptseparator":
    "excerpt_separator", "previewtext": "preview_text", "issuenumber": "issue_number",
    "canonicalurl": "canonical_url", "datepublished": "datePublished",
}  # fmt: skip

MOST_EDITS = 2
SHORT = 4  # a key of four letters with two edits is another word


def folded(key: str) -> str:
    """The key without case, hyphens, underscores and blanks."""
    return key.lower().replace("_", "").replace("-", "").replace(" ", "")


def meant(key: str) -> str | None:
    """The known key that an unknown one is a slip of: at most two edits away, one for keys of up to
    four letters; None when it is far from all or another program's."""
    typed = folded(key)
    if typed in KNOWN or typed in FOREIGN or key.lower() in FOREIGN:
        return None
    allowed = 1 if len(typed) <= SHORT else MOST_EDITS
    near = [
        (edits(typed, known), known)
        for known in OFFERED
        if abs(len(typed) - len(known)) <= MOST_EDITS
    ]
    best = min(near, default=(99, ""))
    return SPELT.get(best[1], best[1]) if best[0] <= allowed else None


def edits(one: str, other: str) -> int:
    """How many letters must be added, dropped, changed or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
    return row[-1]
