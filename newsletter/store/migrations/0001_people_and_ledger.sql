-- People, suppressions, sends, the ledger, and the log of consent.
--
-- Times are integer microseconds since 1970-01-01 UTC. `address_hash` is the SHA-256 of the
-- case-folded ASCII address: two spellings of one mailbox are one row everywhere.

CREATE TABLE subscriber (
    id             INTEGER PRIMARY KEY AUTOINCREMENT, -- never given to a second person
    address        TEXT    NOT NULL CHECK (address <> ''),
    address_hash   BLOB    NOT NULL UNIQUE CHECK (length(address_hash) = 32),
    name           TEXT    NOT NULL,
    status         TEXT    NOT NULL
                           CHECK (status IN ('pending', 'active', 'unsubscribed', 'suppressed')),
    reason         TEXT    NOT NULL,
    consent_source TEXT    NOT NULL,
    consent_at     INTEGER,
    created_at     INTEGER NOT NULL,
    fields         TEXT    NOT NULL CHECK (json_valid(fields))
) STRICT;

CREATE TABLE tag (
    subscriber_id INTEGER NOT NULL REFERENCES subscriber (id) ON DELETE CASCADE,
    tag           TEXT    NOT NULL CHECK (tag <> ''),
    PRIMARY KEY (subscriber_id, tag)
) STRICT, WITHOUT ROWID;

CREATE INDEX tag_by_name ON tag (tag, subscriber_id);

-- Outlives the person: no address in it, nothing that refers to a subscriber.
CREATE TABLE suppression (
    address_hash BLOB    NOT NULL PRIMARY KEY CHECK (length(address_hash) = 32),
    reason       TEXT    NOT NULL CHECK (reason <> ''),
    created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What happened to whose consent, when, and by whose word. No REFERENCES, no address: the proof
-- outlives the person too.
CREATE TABLE event (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    subscriber_id INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    what          TEXT    NOT NULL,
    source        TEXT    NOT NULL
) STRICT;

CREATE INDEX event_by_subscriber ON event (subscriber_id, id);

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'the event log is append-only');
END;

CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
BEGIN
    SELECT RAISE(ABORT, 'the event log is append-only');
END;

CREATE TABLE send (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    slug         TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('frozen', 'sending', 'paused', 'done')),
    email        TEXT    NOT NULL CHECK (json_valid(email)),
    content_hash TEXT    NOT NULL CHECK (length(content_hash) = 64),
    git_commit   TEXT    NOT NULL,
    dirty        INTEGER NOT NULL CHECK (dirty IN (0, 1)),
    letterhead   TEXT    NOT NULL CHECK (json_valid(letterhead)),
    relay        TEXT    NOT NULL,
    candidates   INTEGER NOT NULL,
    recipients   INTEGER NOT NULL,
    exclusions   INTEGER NOT NULL,
    frozen_at    INTEGER NOT NULL,
    finished_at  INTEGER,
    CHECK (candidates = recipients + exclusions),
    CHECK ((state = 'done') = (finished_at IS NOT NULL))
) STRICT;

CREATE INDEX send_by_slug ON send (slug, id);

-- `subscriber_id` has no REFERENCES: the ledger outlives the person.
-- `attempts` never falls: it is the fence that keeps a sender given up for dead from writing.
CREATE TABLE delivery (
    send_id         INTEGER NOT NULL REFERENCES send (id),
    subscriber_id   INTEGER NOT NULL,
    address         TEXT    NOT NULL,
    address_hash    BLOB    NOT NULL CHECK (length(address_hash) = 32),
    name            TEXT    NOT NULL,
    fields          TEXT    NOT NULL,
    state           TEXT    NOT NULL
                            CHECK (state IN ('pending', 'claimed', 'accepted', 'deferred',
                                             'failed', 'skipped', 'unknown')),
    reason          TEXT    NOT NULL DEFAULT '',
    attempts        INTEGER NOT NULL DEFAULT 0,
    message_id      TEXT    NOT NULL DEFAULT '',
    reply_stage     TEXT,
    reply_code      INTEGER,
    reply_status    TEXT,
    reply_text      TEXT,
    next_at         INTEGER,
    data_started_at INTEGER,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (send_id, subscriber_id),
    UNIQUE (send_id, address_hash),
    CHECK (state <> 'skipped' OR reason <> ''),
    CHECK (data_started_at IS NULL OR attempts > 0),
    CHECK (attempts > 0 OR state IN ('pending', 'skipped'))
) STRICT, WITHOUT ROWID;

-- Only the rows that can be claimed: those not yet due never stand in the way of those that are.
CREATE INDEX delivery_claimable ON delivery (send_id, ifnull(next_at, 0), subscriber_id)
    WHERE state IN ('pending', 'deferred');

-- A person with their tags, and why they must not be mailed ('' when nothing speaks against it).
CREATE VIEW person AS
SELECT subscriber.id,
       subscriber.address,
       subscriber.address_hash,
       subscriber.name,
       subscriber.status,
       subscriber.reason,
       subscriber.consent_source,
       subscriber.consent_at,
       subscriber.created_at,
       subscriber.fields,
       (SELECT json_group_array(tag)
          FROM (SELECT tag FROM tag WHERE subscriber_id = subscriber.id ORDER BY tag)) AS tags,
       CASE
           WHEN suppression.reason IS NOT NULL THEN 'suppressed: ' || suppression.reason
           WHEN subscriber.status = 'suppressed' THEN 'suppressed: ' || subscriber.reason
           WHEN subscriber.status = 'unsubscribed' THEN 'unsubscribed'
           WHEN subscriber.status = 'pending' THEN 'pending confirmation'
           ELSE ''
       END AS refusal
  FROM subscriber
  LEFT JOIN suppression ON suppression.address_hash = subscriber.address_hash;
