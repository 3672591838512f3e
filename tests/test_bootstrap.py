"""The first run, on small checkouts with the real send.py and a pip that only pretends.

Real virtual environments, real processes, no network: `pip` and `ensurepip` come from PYTHONPATH.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from newsletter.bootstrap import Checkout
from newsletter.bootstrap.install import how_to_get_pip, last_word
from newsletter.bootstrap.requirements import is_met, release

ROOT = Path(__file__).resolve().parent.parent
BASE_PYTHON = str(getattr(sys, "_base_executable", sys.executable))
PIP_LINE = "newsletter: making .venv and installing the project there"

PYPROJECT = """\
[project]
name = "stub"
dependencies = ["thing>=1.2"]
[project.optional-dependencies]
test = ["probe"]
[tool.newsletter.letter]
name = "Still Point"
"""

CLI = """\
import json, os, sys
def main():
    print(json.dumps({"prefix": sys.prefix, "arguments": sys.argv[1:], "folder": os.getcwd()}))
"""

# "Installs" thing 1.3 into the environment it is asked to, and writes down that it was asked.
PIP = """\
import os, sys, time
from pathlib import Path
outside = "--python" in sys.argv
if os.environ.get("PIP_LIVES") == "nowhere" or (os.environ.get("PIP_LIVES") == "outside" and
        not outside):
    sys.exit(1)
if "--version" in sys.argv:
    sys.exit(0)
if "PIP_SAYS" in os.environ:
    sys.exit(os.environ["PIP_SAYS"])
time.sleep(float(os.environ.get("PIP_TAKES", "0")))
with open(os.environ["PIP_LOG"], "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
home = Path(sys.argv[sys.argv.index("--python") + 1]).parent.parent if outside else Path(sys.prefix)
[site] = home.glob("lib/python*/site-packages")
(site / "thing-1.3.dist-info").mkdir(exist_ok=True)
(site / "thing-1.3.dist-info" / "METADATA").write_text("Name: thing\\nVersion: 1.3\\n")
"""


@dataclass(frozen=True)
class Ran:
    """What one run of send.py left."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> dict[str, Any]:
        assert self.code == 0, self.err
        answer: dict[str, Any] = json.loads(self.out)
        return answer


@dataclass
class Tree:
    """A small checkout, and the environment its runs see."""

    root: Path
    fake: Path
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, python: str = BASE_PYTHON, **environ: str) -> Ran:
        done = subprocess.run(
            [python, str(self.root / "send.py"), *arguments],
            env={**self.environ, **environ},
            cwd=self.root.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    @property
    def installs(self) -> list[str]:
        log = self.fake / "pip.log"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def edit_pyproject(self, before: str, after: str) -> None:
        text = PYPROJECT.replace(before, after)
        assert text != PYPROJECT
        (self.root / "pyproject.toml").write_text(text)

    def files(self) -> set[str]:
        found = self.root.rglob("*")
        return {
            str(p.relative_to(self.root)) for p in found if ".venv" not in p.parts and p.is_file()
        }


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    root, fake = tmp_path / "checkout", tmp_path / "fake"
    package = root / "newsletter"
    leave_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "newsletter" / "bootstrap", package / "bootstrap", ignore=leave_out)
    for name in ("send.py", "newsletter/__init__.py", "newsletter/errors.py"):
        shutil.copy(ROOT / name, root / name)
    (package / "cli.py").write_text(CLI)
    (root / "pyproject.toml").write_text(PYPROJECT)
    for module, source in {"pip": PIP, "ensurepip": ""}.items():
        (fake / module).mkdir(parents=True)
        (fake / module / "__init__.py").touch()
        (fake / module / "__main__.py").write_text(source)
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PIP_", "VIRTUAL"))}
    environ = {**keep, "PYTHONPATH": str(fake), "PIP_LOG": str(fake / "pip.log")}
    yield Tree(root, fake, environ)
    shutil.rmtree(root)


def python_of(environment: Path) -> str:
    return str(environment / "bin" / "python")


def test_the_first_run_makes_an_environment_and_says_so_in_one_line(tree: Tree) -> None:
    before = tree.files()
    ran = tree.run("demo", "--to", "a b")
    assert ran.said == {
        "prefix": str(tree.venv),
        "arguments": ["demo", "--to", "a b"],
        "folder": str(tree.root.parent),
    }
    assert ran.err.startswith(PIP_LINE)
    assert ran.err.count("\n") == 1
    assert [line.split()[-2:] for line in tree.installs] == [["--editable", "."]]
    assert tree.files() == before, "nothing but .venv is touched, not even by bytecode"


def test_the_second_run_is_silent_quick_and_without_pip(tree: Tree) -> None:
    tree.run()
    ran = tree.run()
    assert ran.said["prefix"] == str(tree.venv)
    assert ran.err == ""
    assert len(tree.installs) == 1


def test_bytecode_is_kept_inside_the_environment(tree: Tree) -> None:
    tree.run()
    assert list((tree.venv / "pycache").rglob("cli.*.pyc"))


def test_the_letters_configuration_may_change_without_pip(tree: Tree) -> None:
    tree.run()
    tree.edit_pyproject("Still Point", "Moving Point")
    assert tree.run().err == ""
    assert len(tree.installs) == 1


def test_a_changed_requirement_is_installed_into_the_same_environment(tree: Tree) -> None:
    tree.run()
    (tree.venv / "sentinel").touch()
    tree.edit_pyproject("1.2", "1.3")
    assert "installing into .venv" in tree.run().err
    assert tree.run().err == ""
    assert len(tree.installs) == 2
    assert (tree.venv / "sentinel").exists()


def test_a_failed_renewal_keeps_the_environment(tree: Tree) -> None:
    tree.run()
    (tree.venv / "sentinel").touch()
    tree.edit_pyproject("1.2", "1.3")
    assert tree.run(PIP_SAYS="ERROR: no such thing").code == 1
    assert tree.run().said["prefix"] == str(tree.venv)
    assert (tree.venv / "sentinel").exists()


def test_a_half_made_environment_is_made_again(tree: Tree) -> None:
    tree.run()
    (tree.venv / ".ready.json").unlink()
    (tree.venv / "sentinel").touch()
    ran = tree.run()
    assert ran.said["prefix"] == str(tree.venv)
    assert ran.err.startswith(PIP_LINE)
    assert not (tree.venv / "sentinel").exists()


def test_an_environment_whose_python_went_away_is_made_again(tree: Tree) -> None:
    tree.run()
    (tree.venv / "bin" / "python").unlink()
    assert tree.run().said["prefix"] == str(tree.venv)
    assert len(tree.installs) == 2


def test_a_stamp_cut_off_in_the_writing_counts_as_none(tree: Tree) -> None:
    tree.run()
    (tree.venv / ".ready.json").write_text('{"pyproj')
    assert tree.run().err.startswith(PIP_LINE)


def test_two_first_runs_at_once_make_one_environment(tree: Tree) -> None:
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(tree.run, PIP_TAKES="0.5") for _ in range(3)]
    assert {run.result().said["prefix"] for run in runs} == {str(tree.venv)}
    assert len(tree.installs) == 1


def test_an_empty_folder_is_taken(tree: Tree) -> None:
    tree.venv.mkdir()
    assert tree.run().said["prefix"] == str(tree.venv)


def test_a_folder_somebody_else_made_is_left_alone(tree: Tree) -> None:
    tree.venv.mkdir()
    (tree.venv / "precious").write_text("mine")
    ran = tree.run()
    assert ran.code == 2
    assert ".venv is not a virtual environment, and was not made here" in ran.err
    assert [path.name for path in tree.venv.iterdir()] == ["precious"]


def test_a_link_is_never_cleared(tree: Tree, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".made-by-send.py").touch()
    (elsewhere / "precious").touch()
    tree.venv.symlink_to(elsewhere)
    assert tree.run().code == 2
    assert (elsewhere / "precious").exists()


def test_anothers_environment_is_used_if_it_has_everything(tree: Tree) -> None:
    venv.create(tree.venv)
    lacking = tree.run()
    assert lacking.code == 2
    assert "lacks thing>=1.2" in lacking.err
    assert "pip install -e ." in lacking.err
    assert "move .venv away" in lacking.err
    assert tree.installs == []
    subprocess.run(
        [python_of(tree.venv), "-m", "pip", "install"], env=tree.environ, check=True, timeout=10
    )
    assert tree.run().said["prefix"] == str(tree.venv)
    assert not (tree.venv / ".made-by-send.py").exists()


def test_nothing_is_installed_into_an_active_environment(tree: Tree, tmp_path: Path) -> None:
    active = tmp_path / "active"
    venv.create(active)
    lacking = tree.run(python=python_of(active))
    assert lacking.code == 2
    assert "python -m pip install -e ." in lacking.err
    assert "deactivate" in lacking.err
    assert tree.installs == []
    subprocess.run(
        [python_of(active), "-m", "pip", "install"], env=tree.environ, check=True, timeout=10
    )
    assert tree.run(python=python_of(active)).said["prefix"] == str(active)
    assert not tree.venv.exists()


def test_our_environment_may_be_started_directly(tree: Tree) -> None:
    tree.run()
    tree.edit_pyproject("1.2", "1.3")
    ran = tree.run(python=python_of(tree.venv))
    assert ran.said["prefix"] == str(tree.venv)
    assert len(tree.installs) == 2


def test_without_ensurepip_the_systems_pip_installs(tree: Tree) -> None:
    (tree.fake / "ensurepip" / "__main__.py").write_text("raise SystemExit('not on Debian')")
    ran = tree.run(PIP_LIVES="outside")
    assert ran.said["prefix"] == str(tree.venv)
    assert tree.installs[0].startswith(f"--python {python_of(tree.venv)} install ")


def test_without_any_pip_the_person_learns_what_to_install(tree: Tree) -> None:
    ran = tree.run(PIP_LIVES="nowhere")
    assert ran.code == 1
    assert "has neither ensurepip nor pip" in ran.err
    assert how_to_get_pip() in ran.err
    assert tree.run().code == 0, "and the next run goes well"


@pytest.mark.parametrize(
    ("release_file", "advice"),
    [
        ('NAME="Debian"\nID=debian\n', r"apt install python3\.\d+-venv"),
        ('ID=mint\nID_LIKE="ubuntu debian"\n', r"apt install python3\.\d+-venv"),
        ("ID=fedora\n", r"install the venv and pip packages of Python 3\.\d+"),
        ("it's \"broken", "install the venv and pip packages"),
        (None, "install the venv and pip packages"),
    ],
)
def test_the_advice_fits_the_system(release_file: str | None, advice: str, tmp_path: Path) -> None:
    path = tmp_path / "os-release"
    if release_file is not None:
        path.write_text(release_file)
    assert re.search(advice, how_to_get_pip(path))


def test_offline_the_person_hears_pips_last_word(tree: Tree) -> None:
    said = "Failed to establish a new connection\nERROR: No matching distribution found for thing"
    ran = tree.run(PIP_SAYS=said)
    assert ran.code == 1
    assert "could not install the project: No matching distribution found for thing\n" in ran.err
    assert "is this machine offline?" in ran.err
    assert (tree.venv / "pip.log").read_text().strip() == said
    assert tree.run().code == 0, "a later run starts again"


@pytest.mark.parametrize(
    ("said", "last"),
    [
        ("ERROR: first\nERROR: second\n\nnote: not a problem with pip.\n", "second"),
        (
            "      FileNotFoundError: no README\n      [end]\nhint: above",
            "FileNotFoundError: no README",
        ),
        ("  │ ERROR: inside a box\n  ╰─> end", "inside a box"),
        ("killed\n\n", "killed"),
        ("\n", "pip said nothing"),
    ],
)
def test_pips_last_word_is_its_error_and_not_the_advice_after_it(said: str, last: str) -> None:
    assert last_word(said) == last


def test_it_can_be_switched_off(tree: Tree) -> None:
    ran = tree.run(NEWSLETTER_NO_BOOTSTRAP="1")
    assert ran.said["prefix"] == str(Path(BASE_PYTHON).resolve().parent.parent)
    assert not tree.venv.exists()


def test_a_python_that_ignores_its_environment_does_not_start_for_ever(tree: Tree) -> None:
    venv.create(tree.venv)
    python = tree.venv / "bin" / "python"
    python.unlink()
    python.write_text(f'#!/bin/sh\nexec {BASE_PYTHON} "$@"\n')
    python.chmod(0o755)
    ran = tree.run()
    assert ran.code == 1
    assert "not as a virtual environment" in ran.err


def test_a_broken_pyproject_is_named(tree: Tree) -> None:
    (tree.root / "pyproject.toml").write_text("[project\n")
    ran = tree.run()
    assert ran.code == 2
    assert ran.err.startswith("Error: pyproject.toml: ")
    assert not tree.venv.exists()


def test_a_folder_that_cannot_be_written_is_named(tree: Tree) -> None:
    (tree.root / "blocker").touch()
    tree.venv.symlink_to(tree.root / "blocker" / "below")
    assert tree.run().code == 2


def test_more_extras_than_wanted_do_no_harm(tree: Tree) -> None:
    tree.run()
    stamp = tree.venv / ".ready.json"
    there = json.loads(stamp.read_text())
    stamp.write_text(json.dumps({**there, "extras": ["test"]}))
    assert tree.run().err == ""
    assert Checkout.at(tree.root, "test").requirements() == ["thing>=1.2", "probe"]
    assert Checkout.at(tree.root, "test").target == ".[test]"


def test_an_old_python_gets_a_sentence_and_not_a_syntax_error() -> None:
    ast.parse((ROOT / "send.py").read_text(), feature_version=(3, 6))
    ast.parse((ROOT / "tests" / "__main__.py").read_text(), feature_version=(3, 6))


def test_an_old_python_is_told_which_one_is_needed() -> None:
    pretend = f"import runpy, sys; sys.version_info = (3, 6, 9); runpy.run_path({str(ROOT)!r} + %r)"
    for script in ("/send.py", "/tests/__main__.py"):
        done = subprocess.run(
            [sys.executable, "-c", pretend % script], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "newsletter needs Python 3.11 or newer" in done.stderr


def test_our_requirements_have_the_two_forms_that_are_understood() -> None:
    checkout = Checkout.at(ROOT, "test")
    form = re.compile(r"[A-Za-z][A-Za-z0-9-]*(>=\d+(\.\d+)*)?")
    assert [r for r in checkout.requirements() if not form.fullmatch(r)] == []
    assert "pymdown-extensions>=13" not in "".join(checkout.requirements())


def test_versions_compare_by_number() -> None:
    assert release("2.10") > release("2.9.1")
    assert release("2.0") == release("2") == release("2.0.0.dev1")
    assert is_met("pytest")
    assert is_met("pytest>=8")
    assert not is_met("pytest>=4000")
    assert not is_met("no-such-distribution")
