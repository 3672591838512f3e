-- How fast mail may leave, shared by every process on this database. `key` is relay:NAME or
-- domain:NAME. `next_slot` is when the next mail may leave (GCRA's theoretical arrival time);
-- `allowed` is a rate per second that a relay's "slower" has brought about, at `slowed_at`.
CREATE TABLE pace (
    key       TEXT    NOT NULL PRIMARY KEY,
    next_slot INTEGER NOT NULL DEFAULT 0,
    allowed   REAL,
    slowed_at INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- How many mails were granted, in pieces of a twelfth of each span: a restart changes nothing.
CREATE TABLE granted (
    key   TEXT    NOT NULL,
    span  INTEGER NOT NULL,
    piece INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (key, span, piece)
) STRICT, WITHOUT ROWID;
