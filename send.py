"""The command line from a bare checkout: `python3 send.py demo`. Installed, it is `newsletter`.

The first run makes `.venv`, later runs go straight to it (newsletter/bootstrap.py). This file has
to parse on any Python 3, so that an old one gets a sentence and not a syntax error.
"""

import os
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - as above

if sys.version_info < (3, 11):  # noqa: UP036 - a checkout has no installer to look at the version
    sys.exit(
        "newsletter needs Python 3.11 or newer; this is {}.{} ({}).\n"  # noqa: UP032
        "Start it with a newer one, such as: python3.11 send.py".format(
            sys.version_info[0], sys.version_info[1], sys.executable
        )
    )


def main() -> None:
    """Run the command line in an environment that has what it needs."""
    # Until the environment is known there is no place for bytecode: none in the checkout.
    sys.dont_write_bytecode = True
    from newsletter.bootstrap import Checkout, enter  # noqa: PLC0415

    enter(Checkout.at(ROOT))
    from newsletter.cli import main as run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()
