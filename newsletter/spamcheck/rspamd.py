"""rspamd, asked by HTTP at its normal worker (POST /checkv2, JSON back)."""

from __future__ import annotations

import http.client
import json

from newsletter.model import SpamFilter
from newsletter.spamcheck.scores import Score, SpamRule, by_cost

MOST_BYTES = 4 * 1024 * 1024


def ask(judge: SpamFilter, content: bytes, timeout_s: float) -> Score:
    """The score and its symbols. Raises OSError, HTTPException, and ValueError, KeyError or
    TypeError for an answer of another form. No proxy of the environment is asked."""
    connection = http.client.HTTPConnection(judge.host, judge.port, timeout=timeout_s)
    try:
        connection.request("POST", "/checkv2", content, {"Content-Type": "message/rfc822"})
        response = connection.getresponse()
        text = response.read(MOST_BYTES)
    finally:
        connection.close()
    if response.status != 200:
        raise ValueError(f"{response.status} {response.reason}")
    answer = json.loads(text)
    rules = [
        SpamRule(name, float(symbol["score"]), str(symbol.get("description") or ""))
        for name, symbol in answer["symbols"].items()
    ]
    return Score(float(answer["score"]), float(answer["required_score"]), by_cost(rules))
