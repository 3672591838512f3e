-- The few rows in doubt, found without a pass over a million: `next_at` is when one of them is to be
-- offered once more to the relay that may have it, and takes a mail only once.
CREATE INDEX delivery_in_doubt ON delivery (send_id, next_at)
    WHERE state = 'unknown';
