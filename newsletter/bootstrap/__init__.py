"""The way from a bare checkout to an environment that has what pyproject.toml asks for.

Enters: a checkout and the extras wanted. Leaves: nothing but `.venv`, and this process running in
it. Standard library only, since nothing is installed yet; knows no package index by name (pip's own
configuration does) and nothing of what the program is for.

    in an environment somebody activated    look, install nothing
    .venv made here, its stamp fresh        start there
    .venv made here, its stamp stale        pip install, start there
    .venv made here, without a stamp        half-made: clear it, make it again
    .venv made by somebody else             start there and look; never install, never clear
    no .venv                                make it, pip install, start there
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from newsletter.bootstrap.checkout import (
    Checkout,
    is_environment,
    is_free,
    is_ours,
    is_ready,
    is_same_folder,
)
from newsletter.bootstrap.install import NotInstallable, make_ready, one_at_a_time
from newsletter.errors import NewsletterError, UsageError

OFF = "NEWSLETTER_NO_BOOTSTRAP"
# Set for the process we start, taken away when it arrives: two hops would be the start of a loop.
HOP = "NEWSLETTER_BOOTSTRAP_HOP"
INTERRUPTED = 130


def enter(checkout: Checkout) -> None:
    """Return in an environment that has everything, after making it and starting over there if
    need be; leave the process with a sentence on stderr if that cannot be."""
    hopped = os.environ.pop(HOP, None) is not None
    if os.environ.get(OFF):
        return
    try:
        if not settle(checkout):
            start_over(checkout, again=hopped)
    except NewsletterError as error:
        sys.stderr.write(f"Error: {error}\n")
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        sys.stderr.write("\nnewsletter: interrupted\n")
        raise SystemExit(INTERRUPTED) from None
    keep_bytecode_in(checkout.venv)


def settle(checkout: Checkout) -> bool:
    """Whether this process already runs where it should, everything being installed there."""
    active = sys.prefix != sys.base_prefix
    here = active and is_same_folder(Path(sys.prefix), checkout.venv)
    if active and not (here and is_ours(checkout)):
        look(checkout)
        return True
    if is_ours(checkout) or is_free(checkout.venv):
        if not is_ready(checkout):
            with one_at_a_time(checkout.root):
                make_ready(checkout, clear=not here)
    elif not is_environment(checkout):
        raise UsageError(
            ".venv is not a virtual environment, and was not made here: it stays as it is",
            hint="rename or remove it, and start again",
        )
    return here


def look(checkout: Checkout) -> None:
    """Raise UsageError unless this environment, which is not ours, has all that is asked for."""
    from newsletter.bootstrap.requirements import missing  # noqa: PLC0415 - 25 ms, rarely needed

    lacking = missing(checkout.requirements())
    if not lacking:
        return
    names = f"{', '.join(lacking[:3])}{', ...' if lacking[3:] else ''}"
    pip = "python -m pip" if find_spec("pip") else "uv pip"
    target = f'"{checkout.target}"' if checkout.extras else checkout.target
    at_the_spot = is_same_folder(Path(sys.prefix), checkout.venv)
    leave = "move .venv away" if at_the_spot else "leave that environment (deactivate)"
    raise UsageError(
        f"the virtual environment {sys.prefix} lacks {names}, and was not made here",
        hint=f"in it, type: {pip} install -e {target}\n"
        f"  or {leave} and start again: a .venv is then made for you",
        code="setup.environment",
    )


def start_over(checkout: Checkout, *, again: bool) -> NoReturn:
    """Run the same command line with the Python of the `.venv`; never returns."""
    if again:
        raise NotInstallable(
            f"{checkout.python} runs, but not as a virtual environment",
            hint="is PYTHONHOME set? Unset it; or remove .venv, and start again",
        )
    command = [str(checkout.python), *sys.orig_argv[1:]]
    environ = {**os.environ, HOP: "1"}
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":  # exec there returns to the shell before the new process is done
        raise SystemExit(subprocess.run(command, env=environ, check=False).returncode)
    os.execve(command[0], command, environ)  # noqa: S606 - no shell is wanted


def keep_bytecode_in(venv: Path) -> None:
    """Let Python, and those we start, write bytecode again: beneath the `.venv` we run in, or not
    at all."""
    if os.environ.get("PYTHONDONTWRITEBYTECODE") or not is_same_folder(Path(sys.prefix), venv):
        return
    sys.pycache_prefix = os.environ.setdefault("PYTHONPYCACHEPREFIX", str(venv / "pycache"))
    sys.dont_write_bytecode = False


__all__ = ["Checkout", "enter"]
