"""Where the folders that come with the program are, in a checkout and in an installed wheel.

Enters: the kind of folder. Leaves: its path. Knows nothing of what is in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from newsletter.errors import ConfigError

Kind = Literal["templates", "issues"]
PACKAGE = Path(__file__).resolve().parent


def default_folder(kind: Kind) -> Path:
    """The folder that comes with the program: inside the wheel, else at the top of the checkout.

    The wheel's is asked first: next to an installed package, `../templates` is site-packages'.
    """
    for folder in (PACKAGE / "_default" / kind, PACKAGE.parent / kind):
        if folder.is_dir():
            return folder
    raise ConfigError(
        f"the default {kind} did not come with this installation",
        hint="install it again",
        code="install.incomplete",
    )
