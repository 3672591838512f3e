-- The pictures that travel inside of mails, frozen with them. One row for a picture however many
-- sends show it; `digest` is the SHA-256 of `content` in hex, by which a frozen email names it.
CREATE TABLE picture (
    digest  TEXT NOT NULL PRIMARY KEY CHECK (length(digest) = 64),
    content BLOB NOT NULL
) STRICT;
