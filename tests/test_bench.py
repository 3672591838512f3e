"""The benches run: what they print is for people, so only that they finish is asked."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def test_the_commands_of_the_benchmarks_page_work() -> None:
    text = (CHECKOUT / "docs/benchmarks.md").read_text("utf-8")
    commands = "".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL)).splitlines()
    assert commands
    for command in commands:
        words = shlex.split(command)
        assert words[0] == "python"
        done = subprocess.run(
            [sys.executable, *words[1:]],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        assert "newsletter" in done.stdout


def test_every_bench_is_on_the_benchmarks_page() -> None:
    text = (CHECKOUT / "docs/benchmarks.md").read_text("utf-8")
    scripts = [
        file.stem
        for file in (CHECKOUT / "tests/bench").glob("*.py")
        if "argparse" in file.read_text("utf-8") or file.stem == "mime_fill"
    ]
    assert sorted(scripts) == sorted(set(re.findall(r"tests\.bench\.(\w+)", text)))
