"""Take the pictures of the README and of docs/sending.md, seen through Chromium.

    .venv/bin/python docs/make_pictures.py

Needs the extra `test` (Playwright) and Debian's chromium. Writes docs/desk.png, of a
demo on this machine, and docs/report.png, of an invented send.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Playwright, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SHEET = """
<style>
  body {{ margin: 0; background: #dcd6ca; display: flex; gap: 26px; padding: 26px; }}
  img {{ border-radius: 12px; box-shadow: 0 6px 26px #0003; display: block; }}
</style>
<img src="data:image/png;base64,{light}" width="1400" height="1040">
<img src="data:image/png;base64,{dark}" width="1400" height="1040">
"""
# The scheme of the system, not Playwright's emulation: that would reach into the frames.
LIGHT, DARK = "--blink-settings=preferredColorScheme=1", "--blink-settings=preferredColorScheme=0"


REPORT = """
<style>
  body {{ margin: 0; background: #dcd6ca; display: flex; gap: 18px; padding: 18px; }}
  img {{ border-radius: 8px; box-shadow: 0 4px 18px #0003; display: block; }}
</style>
<img src="data:image/png;base64,{light}" width="660" height="585">
<img src="data:image/png;base64,{dark}" width="660" height="585">
"""


def main() -> None:
    """Take them all."""
    desk()
    report()


def report() -> None:
    """The report of an invented send, in the light and in the dark."""
    with TemporaryDirectory() as folder, sync_playwright() as play:
        file = Path(folder) / "report.html"
        subprocess.run([sys.executable, "-m", "tests.sample_send", str(file)], cwd=ROOT, check=True)
        seen = {}
        for scheme, setting in (("light", LIGHT), ("dark", DARK)):
            page = chromium(play, setting).new_page(
                viewport={"width": 880, "height": 780}, color_scheme="null"
            )
            page.goto(file.as_uri())
            seen[scheme] = base64.b64encode(page.screenshot()).decode()
        page = chromium(play, LIGHT).new_page(viewport={"width": 1374, "height": 621})
        page.set_content(REPORT.format(**seen))
        page.wait_for_timeout(300)
        page.screenshot(path=ROOT / "docs" / "report.png")


def desk() -> None:
    """Start the demo, look at an issue in the light and at all its states in the dark, and put
    both on one sheet."""
    demo = subprocess.Popen(
        [sys.executable, "-m", "newsletter", "demo", "--no-open", "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        facts = json.loads((demo.stdout or sys.stdin).readline())
        with sync_playwright() as play:
            light = picture(play, LIGHT, facts["preview"])
            dark = picture(play, DARK, f"{facts['preview']}?tab=states")
            page = chromium(play, LIGHT).new_page(viewport={"width": 2878, "height": 1092})
            page.set_content(SHEET.format(light=light, dark=dark))
            page.wait_for_timeout(300)
            page.screenshot(path=ROOT / "docs" / "desk.png")
    finally:
        demo.terminate()


def chromium(play: Playwright, scheme: str) -> Browser:
    """A browser whose system has that colour scheme."""
    return play.chromium.launch(
        executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", scheme]
    )


def picture(play: Playwright, scheme: str, url: str) -> str:
    """The page as a base64 PNG."""
    browser = chromium(play, scheme)
    page = browser.new_page(viewport={"width": 1400, "height": 1040}, color_scheme="null")
    page.goto(url, wait_until="load")
    page.locator('#live[data-state="on"]').wait_for()
    page.wait_for_timeout(700)
    shot = base64.b64encode(page.screenshot()).decode()
    browser.close()
    return shot


if __name__ == "__main__":
    main()
