"""What the addresses in an issue answer, asked for explicitly: `newsletter check --links`.

Enters: web addresses out of an article, and the net as an Outside. Leaves: a Verdict for each.
Whoever writes an article or answers a request may be hostile: private networks are refused where
the connection is made, and everything read is bounded in bytes and in time (deliverability 7.21).
Refuses to know where an address stands and how bad a finding is here.
"""

from newsletter.linkcheck.outside import Outside
from newsletter.linkcheck.survey import Survey
from newsletter.linkcheck.verdict import KINDS, Verdict

__all__ = ["KINDS", "Outside", "Survey", "Verdict"]
