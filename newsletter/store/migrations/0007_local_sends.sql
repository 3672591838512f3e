-- Whether a send stays on this machine: a try into the inbox does not use an issue up.
ALTER TABLE send ADD COLUMN local INTEGER NOT NULL DEFAULT 0 CHECK (local IN (0, 1));
