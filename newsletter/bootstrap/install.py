"""Making a `.venv` and installing the project there.

Enters: a checkout. Leaves: its `.venv`, finished and stamped, or an error that says what to do.
Knows no package index by name: pip's own configuration does.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from newsletter.bootstrap.checkout import Checkout, is_ready, is_worth_keeping
from newsletter.errors import NewsletterError

OFFLINE = (
    "NewConnectionError",
    "Failed to establish a new connection",
    "Failed to resolve",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "ConnectTimeoutError",
    "ProxyError",
)


class NotInstallable(NewsletterError):
    """This machine, as it is, cannot be given an environment."""

    code = "setup"


@contextlib.contextmanager
def one_at_a_time(root: Path) -> Iterator[None]:
    """Hold off a second process that wants to make the same `.venv`, where the system can.

    The lock is on pyproject.toml: it is always there, and never cleared with the `.venv`.
    """
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
        yield
        return
    with (root / "pyproject.toml").open("rb") as held:
        with contextlib.suppress(OSError):  # network file systems without locks
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def make_ready(checkout: Checkout, *, clear: bool) -> None:
    """Make the `.venv`, or finish or renew it, and write the stamp."""
    if is_ready(checkout):  # another process was faster
        return
    try:
        if is_worth_keeping(checkout) or not clear:
            renew(checkout)
        else:
            make(checkout)
    except OSError as error:
        raise NotInstallable(
            f"the environment cannot be made: {error.strerror or error}",
            path=error.filename or ".venv",
        ) from error


def make(checkout: Checkout) -> None:
    """Make the `.venv` from nothing; what a broken-off run left of it is cleared first."""
    say("making .venv and installing the project there (once, about 20 seconds)")
    checkout.venv.mkdir(exist_ok=True)
    checkout.mark.write_text("Made by send.py, which clears and renews it when needed.\n")
    clear_all_but(checkout.mark)
    make_environment(checkout)
    install(checkout, pip_for(checkout))


def clear_all_but(mark: Path) -> None:
    """Empty the folder of the mark. The mark stays: a run killed here has still its `.venv`."""
    for path in mark.parent.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != mark:
            path.unlink()


def renew(checkout: Checkout) -> None:
    """Install what pyproject.toml asks for now. The stamp is away meanwhile, so that a run that is
    killed here counts as half-made; it is back when pip could not do it."""
    say("installing into .venv what pyproject.toml asks for now")
    before = checkout.stamp.read_bytes() if checkout.stamp.exists() else None
    checkout.stamp.unlink(missing_ok=True)
    try:
        install(checkout, pip_for(checkout))
    except NotInstallable:
        if before is not None:
            checkout.stamp.write_bytes(before)
        raise


def make_environment(checkout: Checkout) -> None:
    """Make the bare environment, with a pip inside where this Python can put one there.

    Not by venv's own `with_pip`: where ensurepip lacks, Debian's venv prints advice and exits.
    """
    try:
        import venv  # noqa: PLC0415 - 30 ms that only the first run needs
    except ImportError as error:  # Debian's python3-minimal
        raise NotInstallable(
            f"this Python ({sys.executable}) has no venv module",
            hint=how_to_get_pip(),
            code="setup.venv",
        ) from error
    venv.EnvBuilder(symlinks=os.name != "nt").create(checkout.venv)
    succeeds([str(checkout.python), "-P", "-m", "ensurepip", "--default-pip"])


def pip_for(checkout: Checkout) -> list[str]:
    """The command that is pip for this `.venv`: its own, else the system's.

    Debian and Ubuntu ship Python without ensurepip (python3-venv has it), so none inside is usual.
    """
    inside = [str(checkout.python), "-m", "pip"]
    outside = [sys.executable, "-m", "pip", "--python", str(checkout.python)]
    for pip in (inside, outside):
        if succeeds([*pip, "--version"]):
            return pip
    raise NotInstallable(
        f"this Python ({sys.executable}) has neither ensurepip nor pip 22.3 or newer",
        hint=how_to_get_pip(),
        code="setup.pip",
    )


def succeeds(command: Sequence[str]) -> bool:
    """Run the command, out of sight; whether its exit code was 0."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def how_to_get_pip(release: Path = Path("/etc/os-release")) -> str:
    """What the person types to get ensurepip or pip, as far as the system is known."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    try:
        families = shlex.split(release.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        families = []
    named = " ".join(f.partition("=")[2] for f in families if f.startswith(("ID=", "ID_LIKE=")))
    if {"debian", "ubuntu"} & set(named.split()):
        as_root = "" if getattr(os, "geteuid", lambda: 0)() == 0 else "sudo "
        return f"{as_root}apt install python{version}-venv    (or python3-venv), and start again"
    return f"install the venv and pip packages of Python {version}, and start again"


def install(checkout: Checkout, pip: Sequence[str]) -> None:
    """Install the project into the `.venv` and write the stamp.

    Compiling is left to the first import: it takes pip 4 s for 110 MB of which a run needs a tenth.
    """
    command = [
        *pip, "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-compile",
        "--editable", checkout.target,
    ]  # fmt: skip
    # A `user = true` in pip's configuration is meant for the system's Python; no venv can obey it.
    done = subprocess.run(
        command,
        cwd=checkout.root,
        env={**os.environ, "PIP_USER": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        log = checkout.venv / "pip.log"
        log.write_bytes(done.stdout)
        raise pip_failed(done.stdout.decode("utf-8", "replace"), log)
    checkout.stamp.write_text(json.dumps(checkout.wanted()), encoding="utf-8")


def pip_failed(said: str, log: Path) -> NotInstallable:
    """The error for what pip said."""
    offline = any(sign in said for sign in OFFLINE)
    return NotInstallable(
        f"pip could not install the project: {last_word(said)}",
        hint=f"{'is this machine offline? ' if offline else ''}all that pip said: {log}",
        code="setup.offline" if offline else "setup.pip",
    )


def last_word(said: str) -> str:
    """The line of pip's that says what is wrong: its own last ERROR, else the last exception, since
    advice for package authors comes after both."""
    lines = [line.strip(" │╰─>") for line in said.splitlines()]
    for sign in (r"ERROR: (.+)", r"(\w*Error: .+)", r"(.*\w.*)"):
        found = [match[1] for line in lines if (match := re.match(sign, line))]
        if found:
            return found[-1]
    return "pip said nothing"


def say(what: str) -> None:
    """One line for the person who waits."""
    sys.stderr.write(f"newsletter: {what}\n")
    sys.stderr.flush()
