-- Which relay a turn is about, and by which others it goes on (a JSON list of names).
ALTER TABLE send_turn ADD COLUMN relay TEXT NOT NULL DEFAULT '';

ALTER TABLE send_turn ADD COLUMN goes_on_by TEXT NOT NULL DEFAULT '[]';
