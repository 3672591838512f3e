"""One question to a filter, with every failure of it as a JudgeUnavailable."""

from __future__ import annotations

import http.client

from newsletter.errors import JudgeUnavailable
from newsletter.model import FilterKind, SpamFilter
from newsletter.spamcheck import rspamd, spamd
from newsletter.spamcheck.scores import Score

# Both filters ask the DNS while they think.
TIMEOUT_S = 30.0


def score(judge: SpamFilter, content: bytes, timeout_s: float = TIMEOUT_S) -> Score:
    """What the filter makes of the mail. Raises JudgeUnavailable when it says nothing sensible."""
    ask = spamd.ask if judge.kind is FilterKind.SPAMD else rspamd.ask
    try:
        return ask(judge, content, timeout_s)
    except (OSError, http.client.HTTPException) as error:
        said = str(error) or type(error).__name__
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"not an answer of {judge.kind.known_as}: {error}"
    raise JudgeUnavailable(
        f"no word from the spam filter at {judge}: {said}",
        hint="is it running? The key is `spam` in [check]",
    )
