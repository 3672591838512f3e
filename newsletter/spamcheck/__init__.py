"""What a spam filter of the owner's makes of a mail: `newsletter check --spam`.

Enters: where the filter listens, and the bytes of a mail. Leaves: a Score with the rules that made
it. A mail is shown to the configured filter and to nobody else; there is no default.
"""

from newsletter.spamcheck.scores import Score, SpamRule
from newsletter.spamcheck.scoring import score

__all__ = ["Score", "SpamRule", "score"]
