"""The pictures of a mail, shown without asking anybody but the desk.

Enters: a mail's HTML and the mail. Leaves: HTML whose own pictures come from this machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from email import message_from_bytes, policy

from newsletter.model import Letter

SHOWN_BY_CID = re.compile(r"(?<=\ssrc=\")cid:[^\"\s<>]+(?=\")")


def with_local_images(document: str, letter: Letter, content: bytes = b"") -> str:
    """The document with the publication's own images served by the desk, and those that travel in
    the mail `content` put into the page: nothing is fetched."""
    document = document.replace(f"{letter.base_url}/media/", "/media/")
    return SHOWN_BY_CID.sub(_data_urls(content), document) if "cid:" in document else document


def _data_urls(content: bytes) -> Callable[[re.Match[str]], str]:
    """For each `cid:...` the picture itself, for those in the mail."""
    shown: dict[str, str] = {}
    for inner in message_from_bytes(content, policy=policy.default).walk():
        cid = str(inner["Content-ID"] or "").strip("<> ")
        if cid and inner.get_content_maintype() == "image":
            payload = str(inner.get_payload()).replace("\r\n", "").replace("\n", "")
            shown[f"cid:{cid}"] = f"data:{inner.get_content_type()};base64,{payload}"
    return lambda source: shown.get(source.group(), source.group())
