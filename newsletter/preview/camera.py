"""Pictures of pages, taken by a Chromium that happens to be installed.

Enters: addresses of files and how to look at them. Leaves: PNG bytes, as high as the page. The
browser runs without a window, with a profile of its own that is gone afterwards, and resolves no
host name. It is spoken to over a pipe (Chrome DevTools Protocol), so no port is opened.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from select import select
from typing import Any

from newsletter.errors import NewsletterError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
TIMEOUT_S = 60.0
# Beyond this a picture is of no use to anybody, and a PNG has its limits.
MOST_HIGH = 12_000
_FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
# No shell: Debian's knows descriptors of one digit only. By way of higher numbers, since either of
# ours may be 3 or 4 itself.
_EXEC = """
import os, sys
os.dup2(int(sys.argv[1]), 203)
os.dup2(int(sys.argv[2]), 204)
os.dup2(203, 3)
os.dup2(204, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_HOW = "install chromium (apt install chromium), or leave --screenshots out"


class NoCamera(NewsletterError):
    """No Chromium was found, or it does not work."""

    code = "camera"


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture to take: the address of a page, its width in CSS px, and whether the reader
    prefers the dark."""

    address: str
    width: int
    dark: bool = False


def find_chromium() -> str:
    """The path of a Chromium on PATH. Raises NoCamera."""
    for name in NAMES:
        path = shutil.which(name)
        if path is not None:
            return path
    raise NoCamera("there is no Chromium on PATH to take screenshots with", hint=_HOW)


@contextmanager
def camera(program: str) -> Iterator[Camera]:
    """A browser that takes pictures while it lasts. Raises NoCamera."""
    with tempfile.TemporaryDirectory(prefix="newsletter-browser-", ignore_cleanup_errors=True) as d:
        taking = Camera(program, d)
        try:
            taking.open()
            yield taking
        finally:
            taking.close()


class Camera:
    """One browser with one page."""

    def __init__(self, program: str, profile: str) -> None:
        self.profile = profile
        # The browser reads commands from descriptor 3 and answers on 4.
        reads, self._to = os.pipe()
        self._from, writes = os.pipe()
        # A browser of root's refuses to start with a sandbox.
        alone = ["--no-sandbox"] if os.geteuid() == 0 else []
        flags = (*_FLAGS, *alone, f"--user-data-dir={profile}", "about:blank")
        self._browser = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _EXEC, str(reads), str(writes), program, *flags],
            pass_fds=(reads, writes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(reads)
        os.close(writes)
        self._buffer = bytearray()
        self._number = 0
        self._session = ""

    def open(self) -> None:
        """Wait until the browser is up, with an empty page."""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        self._ask("Page.enable")

    @property
    def process_id(self) -> int:
        return self._browser.pid

    def take(self, shot: Shot) -> bytes:
        """The page as a PNG. Raises NoCamera."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=shot.width,
            height=800,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if shot.dark else "light"}
        self._ask("Emulation.setEmulatedMedia", features=[scheme])
        self._ask("Page.navigate", url=shot.address)
        self._wait("Page.loadEventFired")
        size = self._ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {
            "x": 0,
            "y": 0,
            "width": shot.width,
            "height": min(size["height"], MOST_HIGH),
            "scale": 1,
        }
        taken = self._ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(taken["data"])

    def close(self) -> None:
        """End the browser and all it has started."""
        os.close(self._to)
        os.close(self._from)
        with suppress(subprocess.TimeoutExpired):
            self._browser.wait(2)
        with suppress(ProcessLookupError):
            os.killpg(self._browser.pid, signal.SIGKILL)
        self._browser.wait()

    def _ask(self, method: str, **values: object) -> dict[str, Any]:
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": values}
        if self._session:
            message["sessionId"] = self._session
        try:
            os.write(self._to, json.dumps(message).encode() + b"\0")
        except OSError as error:
            raise NoCamera("the browser ended", hint=_HOW) from error
        answer = next(each for each in self._heard() if each.get("id") == self._number)
        if "error" in answer:
            raise NoCamera(f"the browser says: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def _wait(self, event: str) -> None:
        next(each for each in self._heard() if each.get("method") == event)

    def _heard(self) -> Iterator[dict[str, Any]]:
        """Every message as it comes. Raises NoCamera when none does in time."""
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            end = self._buffer.find(b"\0")
            if end >= 0:
                message = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                yield json.loads(message)
                continue
            ready, _, _ = select([self._from], [], [], max(0.0, deadline - time.monotonic()))
            received = os.read(self._from, 1 << 20) if ready else b""
            if not received:
                raise NoCamera("the browser does not answer", hint=_HOW)
            self._buffer += received
