"""Which commit an issue was sent from, and whether the tree was dirty.

Enters: the publication's folder. Git is asked with fixed arguments, without hooks, monitors or a
shell: the checkout may be hostile (deliverability 7.43).
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from newsletter.model import Origin

GIT = ("git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
TIMEOUT_S = 10
COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


def origin_of(root: Path) -> Origin:
    """The commit at `root` and whether anything below it differs; Origin() outside of git."""
    commit = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if commit is None:
        return Origin()
    changes = _git(root, "status", "--porcelain", "--untracked-files=normal", "--", ".")
    return Origin(commit=commit.strip(), dirty=changes is None or bool(changes.strip()))


def changed_files(root: Path, since: str = "HEAD") -> frozenset[str] | None:
    """The files below `root`, relative to it, that differ from that commit or that git does not
    know; None outside of git, or when the commit is gone."""
    if since != "HEAD" and not COMMIT.fullmatch(since):
        return None
    fixed = ("--name-only", "--relative", "--no-ext-diff", "--no-textconv", "-z")
    changed = _git(root, "diff", *fixed, since, "--", ".")
    unknown = _git(root, "ls-files", "-z", "--others", "--exclude-standard", "--", ".")
    if changed is None or unknown is None:
        return None
    return frozenset(name for name in (changed + unknown).split("\0") if name)


def tracked_files(root: Path) -> list[str]:
    """The files below `root` that git tracks, relative to it; none outside of git."""
    names = _git(root, "ls-files", "-z", "--", ".")
    return [name for name in (names or "").split("\0") if name]


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            (*GIT, *arguments),
            cwd=root,
            capture_output=True,
            text=True,
            errors="surrogateescape",  # a file name may be any bytes
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
