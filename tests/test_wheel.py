"""The wheel, built, installed into an empty environment, and used from an empty folder.

What the newsletter depends on is lent by the environment of the tests: only our own files are on
trial, and nothing is fetched.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Out of the checkout's reach: neither PYTHONPATH nor an editable install may help.
APART = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("PYTHON", "NEWSLETTER_", "VIRTUAL_ENV"))
}


def run(*command: str | Path, cwd: Path) -> str:
    """What the command said on stdout; the test fails with all it said if it failed."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**APART, "HOME": os.environ["HOME"], "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def newsletter(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `newsletter` of an environment that has the wheel."""
    home = tmp_path_factory.mktemp("installed") / "environment"
    venv.create(home)
    python = home / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", "--no-compile", wheel, cwd=home)
    [site] = home.glob("lib/python*/site-packages")
    # In a .pth the folder's own .pth files do not count: no editable install slips in.
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin" / "newsletter"


def test_the_wheel_holds_the_program_the_templates_and_the_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for name in ("cli/__init__.py", "store/migrations/0001_people_and_ledger.sql"):
        assert f"newsletter/{name}" in names
    for folder in ("templates", "issues"):
        shipped = ROOT / folder
        for path in (p for p in shipped.rglob("*") if p.is_file()):
            assert f"newsletter/_default/{folder}/{path.relative_to(shipped)}" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    strangers = [n for n in names if not n.startswith(("newsletter/", "newsletter-"))]
    assert strangers == []
    assert [name for name in names if "__pycache__" in name or name.endswith(".pyc")] == []


def test_the_installed_program_is_the_wheels(newsletter: Path, tmp_path: Path) -> None:
    python = newsletter.parent / "python"
    found = run(python, "-c", "import newsletter; print(newsletter.__file__)", cwd=tmp_path)
    assert found.startswith(str(newsletter.parent.parent))


def test_init_makes_a_working_publication_in_an_empty_folder(
    newsletter: Path, tmp_path: Path
) -> None:
    run(newsletter, "init", "my-letter", cwd=tmp_path)
    letter = tmp_path / "my-letter"
    made = {path.name for path in letter.iterdir()}
    assert {"newsletter.toml", "issues", "templates", ".gitignore"} <= made
    assert ".newsletter/" in (letter / ".gitignore").read_text().split()
    run(newsletter, "build", "--out", "out", cwd=letter)
    built = {path.suffix for path in (letter / "out").iterdir()}
    assert {".html", ".txt", ".eml"} <= built
    assert all(path.stat().st_size > 0 for path in (letter / "out").iterdir())
