-- How often the relay itself said "later" to this recipient. `attempts` cannot tell: a row claimed
-- and given back because the line was lost counts there too.
ALTER TABLE delivery ADD COLUMN deferrals INTEGER NOT NULL DEFAULT 0;
