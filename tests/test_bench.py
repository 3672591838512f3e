"""The benches run: what they print is for people, so only that they finish is asked."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.model import Relay
from tests.bench.race import SIGNED, lacks
from tests.bench.signing import ED25519, RSA, key
from tests.signing import verifies
from tests.smtpd import ScriptedRelay

SIGNS = {"RSA-2048": (RSA,), "Ed25519": (ED25519,), "RSA and Ed25519": (RSA, ED25519)}
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


@pytest.mark.parametrize("name", [name for name in SIGNED if not lacks(name)])
def test_who_races_signed_has_signed(name: str) -> None:
    keys = [key(algorithm) for algorithm in SIGNS.get(name.partition(", ")[2], ())]
    with ScriptedRelay() as sink:
        SIGNED[name][0](Relay(name="sink", kind="smtp", port=sink.port), 2)
        mails = [mail.content for mail in sink.accepted]
    assert len(mails) == 2
    for content in mails:
        assert content.count(b"DKIM-Signature:") == len(keys)
        assert all(verifies(content, number, *keys) for number in range(len(keys)))
