"""How fast issues are made: `python -m tests.bench.compose [--articles 600] [--peers]`.

The same Markdown articles, each round composed by every contender in turn, in processes of their
own: the first issue from a cold start, one issue in a warm process, one that was just saved, and
the whole archive. Medians over the rounds; a ratio is taken round by round. With --peers the others
are installed from npm into a temporary folder, once (or --peers-in FOLDER, to keep it); they need
Node 22, which comes along where there is none. What each of them is asked for is in peers/*.mjs.

Ours makes more than they do: it reads and orders the archive, puts the neighbours' teasers into
each mail, writes the plain text and a MIME message beside the page, and looks for mistakes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from newsletter.compose.theme import Page
from newsletter.config import load_config
from newsletter.shelf import Shelf
from tests.bench.archive import write_archive

CHECKOUT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
NODE_MAJOR = 22
OURS = "newsletter"
CONTENDERS: dict[str, tuple[str, ...]] = {
    # the script and its arguments; the packages whose versions are shown
    "Maizzle": ("maizzle.mjs",),
    "MJML": ("mjml.mjs",),
    "react-email": ("react-email.mjs",),
    "marked + juice": ("inliner.mjs", "juice"),
    "marked + css-inline": ("inliner.mjs", "css-inline"),
}
PACKAGES = {
    "Maizzle": "@maizzle/framework",
    "MJML": "mjml",
    "react-email": "@react-email/components",
    "marked + juice": "juice",
    "marked + css-inline": "@css-inline/css-inline",
}
TEXT = {OURS, "Maizzle", "react-email"}
COMMANDS = (
    ("--help",),
    ("list",),
    ("status",),
    ("build", "--out", "one", "{issue}"),
    ("check", "{issue}"),
    ("check",),
)
BARS = "Bars: warm < 50 ms, touched < 300 ms, archive below Maizzle and juice, --help < 200 ms."


@dataclass(frozen=True, slots=True)
class Round:
    """One contender, one round: milliseconds per issue (the median of several) and bytes."""

    cold: float
    warm: float
    touched: float
    archive: float
    html_bytes: float
    stages: dict[str, float] = field(default_factory=dict)


def fresh(root: Path, count: int) -> Path:
    """A folder with an archive nobody has touched."""
    folder = Path(tempfile.mkdtemp(dir=root))
    write_archive(folder, count)
    return folder


def seconds(command: list[str], folder: Path) -> float:
    """The wall time of a process. `check` may find what it likes."""
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    taken = time.perf_counter() - start
    if done.returncode not in (0, 3):
        raise SystemExit(f"{command}: {done.stderr}")
    return taken


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(CHECKOUT), "NODE_ENV": "production"}


def newsletter(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "newsletter", *arguments]


def ours(root: Path, count: int) -> Round:
    """One issue and all of them by the command line, the rest in one warm process."""
    folder = fresh(root, count)
    issue = middle(folder)
    cold = seconds(newsletter("build", "--out", "one", issue), folder) * 1e3
    archive = seconds(newsletter("build", "--out", "all"), folder) * 1e3 / count
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.bench.ours", str(folder)],
        cwd=CHECKOUT, env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return measured(json.loads(done.stdout) | {"archive_ms": archive}, cold)


def middle(folder: Path) -> str:
    files = sorted((folder / "issues").iterdir())
    return files[len(files) // 2].stem.partition("-letter-")[2].join(("letter-", ""))


def measured(answer: dict[str, list[float]] | dict[str, object], cold: float) -> Round:
    facts: dict[str, object] = dict(answer)
    stages = facts.get("stages_ms", {})
    assert isinstance(stages, dict)
    return Round(
        cold=cold,
        warm=middle_of(facts["warm_ms"]),
        touched=middle_of(facts["touched_ms"]),
        archive=middle_of([facts["archive_ms"]]),
        html_bytes=middle_of(facts["html_bytes"]),
        stages=stages,
    )


def middle_of(numbers: object) -> float:
    assert isinstance(numbers, list)
    return float(median(numbers))


# the others


@dataclass(frozen=True, slots=True)
class Peers:
    """The folder the others are installed in, and its node."""

    home: Path
    node: str

    def run(self, name: str, root: Path, count: int) -> Round:
        """One contender from a cold start to the whole archive."""
        folder = self.home / "emails"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.move(str(fresh(root, count) / "issues"), folder)
        out = self.home / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        script, *rest = CONTENDERS[name]
        command = [self.node, script, str(folder), str(out), *rest]
        start = time.perf_counter()
        with subprocess.Popen(
            command, cwd=self.home, env=environment(), stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            cold = (time.perf_counter() - start) * 1e3
            lines = process.stdout.read().splitlines()
        if process.returncode or first != "first\n":
            raise SystemExit(f"{name} failed: {first}{lines[-5:]}")
        return measured(json.loads(lines[-1]), cold)

    def version(self, name: str) -> str:
        manifest = self.home / "node_modules" / PACKAGES[name] / "package.json"
        return str(json.loads(manifest.read_text("utf-8"))["version"])


def install(home: Path) -> Peers:
    """The others in `home`, from npm unless they are there already."""
    home.mkdir(parents=True, exist_ok=True)
    for file in PEERS.iterdir():
        shutil.copy(file, home)
    if not (home / "node_modules").is_dir():
        subprocess.run([*npm(), *own_node()], cwd=home, check=True, stdout=sys.stderr)
    bundled = home / "node_modules" / node_package() / "bin" / "node"
    return Peers(home, str(bundled) if bundled.exists() else "node")


def npm() -> list[str]:
    # --force: npm itself may run on an older Node than the packages will.
    return ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--force"]


def own_node() -> list[str]:
    version = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True)
    old = int(version.stdout.strip().lstrip("v").partition(".")[0]) < NODE_MAJOR
    return [f"{node_package()}@{NODE_MAJOR}"] if old else []


def node_package() -> str:
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"node-{platform.system().lower()}-{machine}"


def write_document(folder: Path, home: Path) -> None:
    """Our own document, its CSS not inlined, with a word where the article and its title go."""
    shelf = Shelf.of(load_config(folder).letter(), datetime.now(UTC))
    issue = shelf.issue(shelf.archive.articles[len(shelf.archive.articles) // 2])
    issue = replace(issue, article=replace(issue.article, title="TITLE"))
    page = Page(
        issue=issue, letter=shelf.letter, body="<p>ARTICLE</p>", subject="TITLE", preheader="TITLE"
    )
    document, _ = shelf.theme.fill_html(page)
    (home / "document.html").write_text(document.replace("<p>ARTICLE</p>", "ARTICLE"), "utf-8")


# the tables


def print_contenders(results: dict[str, list[Round]], versions: dict[str, str]) -> None:
    head = f"{'ms per issue':30}{'cold':>7}{'warm':>8}{'touched':>9}{'archive':>9}"
    print(f"{head}{'x ours (min-max)':>19}{'KB':>6}  text")
    for name, rounds in results.items():
        ratios = [a.archive / b.archive for a, b in zip(rounds, results[OURS], strict=True)]
        against = f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        line = (
            f"{name + ' ' + versions.get(name, ''):30}"
            f"{median(each.cold for each in rounds):>7,.0f}"
            f"{median(each.warm for each in rounds):>8,.1f}"
            f"{median(each.touched for each in rounds):>9,.1f}"
            f"{median(each.archive for each in rounds):>9,.1f}"
        )
        size = median(each.html_bytes for each in rounds) / 1000
        print(f"{line}{against:>19}{size:>6.1f}  {'yes' if name in TEXT else 'no'}")


def print_stages(rounds: list[Round]) -> None:
    means = {name: median(each.stages[name] for each in rounds) for name in rounds[0].stages}
    whole = sum(means.values())
    print("\nWhere ours goes, issues in a row on one core, ms per issue")
    for name, taken in sorted(means.items(), key=lambda pair: -pair[1]):
        print(f"  {name:36}{taken:>7.2f}{taken / whole:>6.0%}")
    print(f"  {'all, lint included':36}{whole:>7.2f}")


def print_commands(taken: dict[tuple[str, ...], list[float]], count: int) -> None:
    print("\nWhole commands, ms (min-max)")
    for words, found in taken.items():
        what = " ".join(words).replace("--out one ", "").replace("{issue}", "ISSUE")
        of = f" (all {count})" if words == ("check",) else ""
        spread = f"({min(found) * 1e3:,.0f}-{max(found) * 1e3:,.0f})"
        print(f"  {'newsletter ' + what + of:36}{median(found) * 1e3:>8,.0f} {spread:>18}")


def race(root: Path, asked: argparse.Namespace, peers: Peers | None) -> None:
    names = [OURS, *(CONTENDERS if peers else ())]
    results: dict[str, list[Round]] = {name: [] for name in names}
    commands: dict[tuple[str, ...], list[float]] = {words: [] for words in COMMANDS}
    folder = fresh(root, asked.articles)
    if peers:
        write_document(folder, peers.home)
    for _ in range(asked.rounds):
        for name in names:
            run = ours(root, asked.articles) if name == OURS else None
            assert run or peers
            results[name].append(run or peers.run(name, root, asked.articles))  # type: ignore[union-attr]
        for words, found in commands.items():
            call = [word.format(issue=middle(folder)) for word in words]
            found.append(seconds(newsletter(*call), folder))
    sizes = [file.stat().st_size for file in (folder / "issues").iterdir()]
    print(
        f"{asked.articles} articles of {median(sizes) / 1000:.1f} KB Markdown, {asked.rounds} "
        f"rounds, {os.cpu_count()} cores, Python {platform.python_version()}, load "
        f"{os.getloadavg()[1]:.1f}"
    )
    versions = {name: peers.version(name) for name in CONTENDERS} if peers else {}
    print_contenders(results, versions)
    print_stages(results[OURS])
    print_commands(commands, asked.articles)
    print(f"\n{BARS}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--articles", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", action="store_true", help="install and measure the others")
    parser.add_argument("--peers-in", type=Path, metavar="FOLDER", help="install them here")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        home = asked.peers_in or (root / "peers" if asked.peers else None)
        race(root, asked, install(home.resolve()) if home else None)


if __name__ == "__main__":
    main()
