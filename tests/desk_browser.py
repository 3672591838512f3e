"""A desk served by the real command, and a browser to look at it with."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.publication import Publication

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Frame, Page

LIGHT, DARK = "--blink-settings=preferredColorScheme=1", "--blink-settings=preferredColorScheme=0"


@contextmanager
def served(letter: Publication) -> Iterator[str]:
    """The URL of the desk while it lasts; ended by Ctrl-C, as people end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "newsletter", "-C", str(letter.root), "preview"]
    process = subprocess.Popen(
        [*command, "--no-open", "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    try:
        assert process.stdout is not None
        assert "preview" in process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    assert process.returncode == 0, "Ctrl-C is how the desk is meant to end"


@contextmanager
def browser(scheme: str = LIGHT) -> Iterator[Browser]:
    """Chromium, whose system has that colour scheme. Not by Playwright's emulation: that reaches
    into frames, where the desk decides."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", scheme],
        )
        yield opened
        opened.close()


def mails(page: Page) -> list[Frame]:
    """The frames that show mails, in order, each loaded."""
    for handle in page.locator("iframe").element_handles():
        frame = handle.content_frame()
        assert frame is not None
        frame.wait_for_load_state()
    return page.frames[1:]
