"""The databases on which the contract of the store is tested. Loaded by `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.store import Store, open_store
from tests.stores import OpenStore


@pytest.fixture(params=["sqlite"])
def opened(tmp_path: Path) -> Iterator[OpenStore]:
    """A way to open the same store, as often as a test wants."""
    stores: list[Store] = []

    def open_another() -> Store:
        stores.append(open_store(f"sqlite:{tmp_path / 'state' / 'letter.db'}"))
        return stores[-1]

    yield open_another
    for store in stores:
        store.__exit__(None, None, None)


@pytest.fixture
def store(opened: OpenStore) -> Store:
    return opened()
