"""Files -> Article: front matter of every common kind, order, neighbours.

Enters: the Letter, for its folder, time zone and permalink. Leaves: the Archive and its articles
as their authors wrote them. Renders nothing, sends nothing, knows no other stage.

    source       bytes of a file -> text
    frontmatter  text -> entries (yaml_block, typed_block, plain_block) and body
    reading      entries, file name (naming), body (body) -> Article
    archive      a folder -> Archive, in order; neighbours
    find         what a person typed -> Article
"""

from newsletter.articles.addresses import issue_url
from newsletter.articles.archive import (
    Archive,
    neighbours,
    published,
    read_archive,
    read_article,
)
from newsletter.articles.find import find

__all__ = [
    "Archive",
    "find",
    "issue_url",
    "neighbours",
    "published",
    "read_archive",
    "read_article",
]
