-- Sends that wait for their time, that somebody holds or takes back, and that try a sample first.
--
-- `not_before` is when a send may go on; `hold` says why it must not go on by itself; `wave` is how
-- far it may go: 0 the canary, 1 everybody. `audience` is for whom a preparing send is meant.
-- The foreign keys are off while this runs: `delivery` refers to `send` by its name.
CREATE TABLE send_next (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    slug         TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('preparing', 'frozen', 'sending', 'paused',
                                                   'done', 'cancelled')),
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
    not_before   INTEGER,
    hold         TEXT    NOT NULL DEFAULT '',
    canary       INTEGER NOT NULL DEFAULT 0,
    wave         INTEGER NOT NULL DEFAULT 1,
    audience     TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(audience)),
    CHECK (candidates = recipients + exclusions),
    CHECK ((state IN ('done', 'cancelled')) = (finished_at IS NOT NULL)),
    CHECK (state <> 'preparing' OR (not_before IS NOT NULL AND candidates = 0))
) STRICT;

INSERT INTO send_next (id, slug, state, email, content_hash, git_commit, dirty, letterhead, relay,
                       candidates, recipients, exclusions, frozen_at, finished_at)
SELECT id, slug, state, email, content_hash, git_commit, dirty, letterhead, relay,
       candidates, recipients, exclusions, frozen_at, finished_at
  FROM send;

DROP TABLE send;

ALTER TABLE send_next RENAME TO send;

CREATE INDEX send_by_slug ON send (slug, id);

ALTER TABLE delivery ADD COLUMN wave INTEGER NOT NULL DEFAULT 1;

DROP INDEX delivery_claimable;

CREATE INDEX delivery_claimable ON delivery (send_id, ifnull(next_at, 0), subscriber_id, wave)
    WHERE state IN ('pending', 'deferred');
