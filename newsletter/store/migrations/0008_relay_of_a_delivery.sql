-- Which relay the mail was offered to last; '' when none was, or nobody can tell.
ALTER TABLE delivery ADD COLUMN relay TEXT NOT NULL DEFAULT '';
