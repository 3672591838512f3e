"""docs/markdown.md is what its generator writes today, and all it shows is there."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_page", DOCS / "make_markdown_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_constructs_is_up_to_date(generator: ModuleType) -> None:
    page = (DOCS / "markdown.md").read_text("utf-8")
    assert page == generator.page(), "run docs/make_markdown_page.py"


def test_each_construct_has_its_picture_and_all_are_less_than_a_megabyte() -> None:
    page = (DOCS / "markdown.md").read_text("utf-8")
    shown = set(re.findall(r"\]\((markdown/[\w.-]+)\)", page))
    there = {str(path.relative_to(DOCS)) for path in (DOCS / "markdown").iterdir()}
    assert shown == there
    assert sum((DOCS / name).stat().st_size for name in there) < 1_000_000


def test_the_contents_lead_to_the_headings(generator: ModuleType) -> None:
    page = generator.page()
    page = re.sub(r"^(`{3,})\w+$.*?^\1$", "", page, flags=re.MULTILINE | re.DOTALL)
    anchors = re.findall(r"^- \[([^\]]+)\]\(#(.+)\)$", page, re.MULTILINE)
    headings = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert [title for title, _ in anchors] == headings
    assert len({anchor for _, anchor in anchors}) == len(anchors)
