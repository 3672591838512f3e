-- What happened to a send as a whole, for its report and for whoever watches it. No address in it.
--
-- `turn` is a word of model/turns.py; `why` says the reason, or names what it is about (a key of
-- `pace`, a state); `until` is when it ends by itself; `number` how many, or how many a second.
CREATE TABLE send_turn (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    send_id INTEGER NOT NULL REFERENCES send (id),
    at      INTEGER NOT NULL,
    turn    TEXT    NOT NULL CHECK (turn <> ''),
    why     TEXT    NOT NULL DEFAULT '',
    until   INTEGER,
    number  REAL
) STRICT;

CREATE INDEX send_turn_by_send ON send_turn (send_id, id);

CREATE TRIGGER send_turn_is_never_changed BEFORE UPDATE ON send_turn
BEGIN
    SELECT RAISE(ABORT, 'the turns of a send are append-only');
END;

CREATE TRIGGER send_turn_is_never_removed BEFORE DELETE ON send_turn
BEGIN
    SELECT RAISE(ABORT, 'the turns of a send are append-only');
END;
