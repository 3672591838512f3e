"""One process at a time: a lock of the operating system on a file.

The kernel drops it with the process, however that dies. The file stays: removing it would let two
processes lock two files of one name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsletter.errors import SendRefused, StoreError

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Held until left. Raises SendRefused when another process holds it."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"cannot lock: {error.strerror}", path=path) from error
    try:
        try:
            _lock(file)
        except OSError as error:
            raise SendRefused(
                "another process is sending this issue",
                hint="see how far it is: newsletter status",
                code="send.locked",
            ) from error
        yield
    finally:
        os.close(file)
