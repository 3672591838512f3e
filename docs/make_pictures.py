"""Take the pictures of the README: a demo on this machine, seen through Chromium.

    .venv/bin/python docs/make_pictures.py

Needs the extra `test` (Playwright) and Debian's chromium. Writes docs/desk.png.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SHEET = """
<style>
  body {{ margin: 0; background: #e9e5dd; display: flex; gap: 24px; padding: 24px; }}
  img {{ border-radius: 10px; box-shadow: 0 4px 18px #0003; display: block; }}
</style>
<img src="data:image/png;base64,{left}" height="760">
<img src="data:image/png;base64,{right}" height="760">
"""


def main() -> None:
    """Start the demo, look at an issue and at the inbox, and put both on one sheet."""
    demo = subprocess.Popen(
        [sys.executable, "-m", "newsletter", "demo", "--no-open", "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        facts = json.loads((demo.stdout or sys.stdin).readline())
        with sync_playwright() as play:
            browser = play.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1180, "height": 900}, color_scheme="null")
            shots = [picture(page, facts["preview"]), picture(page, facts["inbox"])]
            sheet = SHEET.format(left=shots[0], right=shots[1])
            page.set_viewport_size({"width": 2100, "height": 808})
            page.set_content(sheet)
            page.wait_for_timeout(300)
            page.screenshot(path=ROOT / "docs" / "desk.png")
            browser.close()
    finally:
        demo.terminate()


def picture(page: Page, url: str) -> str:
    """The page as a base64 PNG."""
    import base64  # noqa: PLC0415

    page.goto(url, wait_until="load")
    page.wait_for_timeout(700)
    return base64.b64encode(page.screenshot()).decode()


if __name__ == "__main__":
    main()
