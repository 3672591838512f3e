-- The checks of a delivery as comparisons: for IN with more than two values SQLite builds a table
-- each time it writes a row, which is a third of what recording an outcome costs (2 of 6 us).
-- The foreign keys are off while this runs.
CREATE TABLE delivery_next (
    send_id         INTEGER NOT NULL REFERENCES send (id),
    subscriber_id   INTEGER NOT NULL,
    address         TEXT    NOT NULL,
    address_hash    BLOB    NOT NULL CHECK (length(address_hash) = 32),
    name            TEXT    NOT NULL,
    fields          TEXT    NOT NULL,
    state           TEXT    NOT NULL
                            CHECK (state = 'accepted' OR state = 'claimed' OR state = 'pending' OR
                                   state = 'deferred' OR state = 'failed' OR state = 'skipped' OR
                                   state = 'unknown'),
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
    deferrals       INTEGER NOT NULL DEFAULT 0,
    wave            INTEGER NOT NULL DEFAULT 1,
    relay           TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (send_id, subscriber_id),
    UNIQUE (send_id, address_hash),
    CHECK (state <> 'skipped' OR reason <> ''),
    CHECK (data_started_at IS NULL OR attempts > 0),
    CHECK (attempts > 0 OR state = 'pending' OR state = 'skipped')
) STRICT, WITHOUT ROWID;

INSERT INTO delivery_next (send_id, subscriber_id, address, address_hash, name, fields, state,
                           reason, attempts, message_id, reply_stage, reply_code, reply_status,
                           reply_text, next_at, data_started_at, updated_at, deferrals, wave, relay)
SELECT send_id, subscriber_id, address, address_hash, name, fields, state,
       reason, attempts, message_id, reply_stage, reply_code, reply_status,
       reply_text, next_at, data_started_at, updated_at, deferrals, wave, relay
  FROM delivery;

DROP TABLE delivery;

ALTER TABLE delivery_next RENAME TO delivery;

CREATE INDEX delivery_claimable ON delivery (send_id, ifnull(next_at, 0), subscriber_id, wave)
    WHERE state IN ('pending', 'deferred');

CREATE INDEX delivery_in_doubt ON delivery (send_id, next_at)
    WHERE state = 'unknown';
