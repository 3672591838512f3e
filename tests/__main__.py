"""`python3 tests`: ruff, mypy and pytest, in an environment made for them on the first run.

Arguments go to pytest, which then runs alone: `python3 tests -k slots -x`. The exit code is 0 when
everything passed; pytest's closing line is the last one.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

if sys.version_info < (3, 11):  # noqa: UP036 - a checkout has no installer to look at the version
    sys.exit("newsletter needs Python 3.11 or newer; start its tests with: python3.11 tests")

CHECKS = {
    "ruff check": ("ruff", "check", "--quiet"),
    "ruff format": ("ruff", "format", "--check", "--quiet"),
    "mypy": ("mypy", "--no-error-summary"),
}


def main() -> int:
    """The exit code of all steps together."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(ROOT))
    from newsletter.bootstrap import Checkout, enter

    enter(Checkout.at(ROOT, "test"))
    if sys.argv[1:]:
        return pytest(*sys.argv[1:])
    with compiled_meanwhile():
        failed = [name for name, command in CHECKS.items() if run(*command) != 0]
    for name in CHECKS:
        report(f"{name}: {'FAILED' if name in failed else 'passed'}")
    spread = ("-n", "auto", "--dist", "worksteal") if find_spec("xdist") else ()
    if failed:
        report(f"pytest goes on, but the tests as a whole have failed: {', '.join(failed)}")
    return pytest(*spread) or bool(failed)


@contextmanager
def compiled_meanwhile() -> Iterator[None]:
    """Collect the tests once while mypy is busy on one core, so that their bytecode is there on the
    first run: each worker would compile all of it for itself, which takes it three seconds."""
    collect = [sys.executable, "-m", "pytest", "--rootdir", str(ROOT), "--collect-only", "-qq"]
    with subprocess.Popen(
        collect, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.wait()


def workers() -> int:
    """Two for each core, since many a test waits: for a process, a limit, a relay that is gone."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    return 2 * (cores or 1)


def pytest(*arguments: str) -> int:
    """The exit code of pytest. Without paths it runs every test, from whatever folder."""
    os.environ.setdefault("PYTEST_XDIST_AUTO_NUM_WORKERS", str(workers()))
    return run("pytest", "--rootdir", str(ROOT), *arguments)


def run(*command: str) -> int:
    """The exit code of one step, its words passed through as they come."""
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode


def report(line: str) -> None:
    """One line on stdout, in order with what the steps print."""
    print(f"tests: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
