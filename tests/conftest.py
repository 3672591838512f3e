"""What every test stands on: a home of its own, no network, golden files, programs that may lack.

No test sees the person's HOME, git identity, locale, time zone or NEWSLETTER_ variables, and none
connects to anything but this machine.
"""

from __future__ import annotations

import difflib
import gc
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from itertools import islice
from pathlib import Path
from typing import Any

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"

# An odd zone, so that local time leaking into an answer shows everywhere. POSIX form: no tzdata.
ODD_ZONE = "NPT-5:45"

IN_CI = os.environ.get("CI") == "true"


def thorough(count: int, at_home: int) -> int:
    """How many of them: all where CI=true, fewer where somebody waits for the answer."""
    return count if IN_CI else at_home


# At home the examples are other ones each time, so that few are many in the end.
hypothesis.settings.register_profile("local", deadline=None, max_examples=30)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if IN_CI else "local")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the files in tests/golden from what comes out now; review them in the diff",
    )


def pytest_collection_finish() -> None:
    """Five thousand tests stay until the end: the garbage collector need not go through them again
    and again, which is a tenth of what all of them cost."""
    gc.collect()
    gc.freeze()


def needs(*programs: str) -> None:
    """Go on if the programs are installed; else skip, and where CI=true fail: a machine that
    installs all of them must not go green by skipping."""
    absent = [program for program in programs if shutil.which(program) is None]
    if not absent:
        return
    reason = f"needs {' and '.join(absent)}"
    if IN_CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


class OutsideLoopback(RuntimeError):
    """A test tried to leave this machine. No OSError, so that no code takes it for a bad line."""


def is_loopback(address: Any) -> bool:
    """Whether a socket address stays on this machine: loopback, localhost, or a path."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    if host in ("", "localhost", "ip6-localhost"):
        return True
    try:
        parsed = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback or parsed.is_unspecified


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    def guard(self: socket.socket, *arguments: Any) -> Any:
        if not is_loopback(arguments[-1]):
            raise OutsideLoopback(f"a test reaches for {arguments[-1]!r}")
        return method(self, *arguments)

    return guard


@pytest.fixture(autouse=True, scope="session")
def stay_on_this_machine() -> Iterator[None]:
    """Refuse every connection and datagram that leaves this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        yield


@pytest.fixture(autouse=True, scope="session")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty HOME, the environment of nobody in particular, and an odd time zone."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("NEWSLETTER_", "GIT_", "XDG_", "LC_")):
                patch.delenv(name)
        for name, value in _nobody(home).items():
            patch.setenv(name, value)
        time.tzset()
        yield home
    time.tzset()


@pytest.fixture
def relay_soon_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost line is tried again at once, and not after one, five and fifteen seconds."""
    from newsletter.delivery import lane

    monkeypatch.setattr(lane, "WAITS_S", (0.01,) * len(lane.WAITS_S))


def _nobody(home: Path) -> dict[str, str]:
    """The variables every test starts with."""
    person = {"NAME": "Ada Abbott", "EMAIL": "ada@example.com"}
    git = {f"GIT_{role}_{key}": person[key] for role in ("AUTHOR", "COMMITTER") for key in person}
    return {
        **git,
        "PYTHONPATH": str(ROOT),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(home),
        "USERPROFILE": str(home),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "TZ": ODD_ZONE,
    }


Golden = Callable[[str, str | bytes], None]


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """`golden("sleep.html", html)` compares with tests/golden/sleep.html, byte for byte."""
    update = bool(request.config.getoption("--update-golden"))

    def compare(name: str, actual: str | bytes) -> None:
        found = actual.encode() if isinstance(actual, str) else actual
        path = GOLDEN / name
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(found)
        expected = path.read_bytes() if path.exists() else b""
        if found != expected:
            pytest.fail(_difference(name, expected, found), pytrace=False)

    return compare


def _difference(name: str, expected: bytes, found: bytes) -> str:
    """What differs, line ends visible, the first 60 lines of it."""
    lines = difflib.unified_diff(
        _visible(expected), _visible(found), f"golden/{name}", "found", lineterm="", n=2
    )
    hint = "if that is right: python3 tests --update-golden, and review the diff in git"
    return "\n".join([*islice(lines, 60), hint])


def _visible(content: bytes) -> list[str]:
    """The lines with their ends spelt out."""
    text = content.decode("utf-8", "backslashreplace")
    return [repr(line)[1:-1] for line in text.splitlines(keepends=True)]
