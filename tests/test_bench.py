"""The benches run: what they print is for people, so only that they finish is asked."""

from __future__ import annotations

import subprocess
import sys


def test_the_bench_of_composing_runs_without_the_others() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.compose", "--rounds", "1", "--articles", "12"],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert "newsletter" in done.stdout
    assert "premailer" in done.stdout
