"""The sample publication: its configuration, its invented readers, and the file `init` writes.

All addresses are on the reserved domains example.com, example.net and example.org (RFC 2606).
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from newsletter.config import Config, Tables

TOML = """\
# What the publication is. All keys: newsletter config schema
[letter]
name = {name}
base_url = {base_url}      # web pages, images, unsubscribe links
language = "en"
timezone = "UTC"                                # such as Europe/Lisbon
# images = "embedded"                           # pictures inside of mails: docs/images.md
# fields = ["city"]                             # for {{{{ city | your town }}}} in a letter

[sender]
from = {sender}
postal_address = "1 Example Road, Exampleton"   # the law wants one in bulk mail
# reply_to = "editor@letters.example.org"

# How it looks: "letter", "plain" or "digest", and ten tokens. All: newsletter theme list
{theme}
# Where mail goes. The inbox is on this machine, so nothing can leave it until you change this:
# "ses", "postmark", "mailgun", "sendgrid", "resend", "brevo", "fastmail", "smtp" with a host ...
[relay.main]
preset = "inbox"
# username_env = "RELAY_USER"                   # secrets come from the environment,
# password_env = "RELAY_PASSWORD"               # a command or a file, never from here

[database]
url = "sqlite:.newsletter/newsletter.db"
"""

THEME = """\
# [theme]
# look = "letter"
# accent = "#1d634e"
# logo = "issues/images/logo.png"
"""

FIRST_NAMES = (
    "Ada",
    "Björn",
    "Chiara",
    "Dmitri",
    "Élodie",
    "Farah",
    "Grace",
    "Håkon",
    "Inés",
    "Jörg",
)
LAST_NAMES = ("Abbott", "Brännström", "Calder", "Dubois", "Ekström")
ASCII = str.maketrans("öéåÉåäİ", "oeaEaai")


def sample_toml(name: str, base_url: str, sender: str, look: str = "") -> str:
    """A newsletter.toml with comments in place of questions; `look` is set when it is given."""
    values = {"name": name, "base_url": base_url, "sender": sender}
    # A JSON string is a TOML basic string, but for DEL.
    quoted = {
        key: json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        for key, value in values.items()
    }
    theme = THEME.replace('# [theme]\n# look = "letter"', f'[theme]\nlook = "{look}"')
    return TOML.format(**quoted, theme=theme if look else THEME)


def sample_config(issues: Path) -> Config:
    """The configuration of the sample publication, for the articles in `issues`."""
    text = sample_toml(
        "Still Point Letter",
        "https://letters.stillpoint.example.com",
        "Still Point <letters@stillpoint.example.com>",
    )
    tables = tomllib.loads(text)
    tables["letter"]["issues"] = str(issues)
    return Config(root=issues.parent, path=issues.parent / "sample", tables=Tables(**tables))


def people(count: int) -> Iterator[tuple[str, str]]:
    """`count` invented people: an address each, and a name."""
    pairs = product(LAST_NAMES, FIRST_NAMES)
    names = [f"{first} {last}" for last, first in pairs]
    for number in range(count):
        name = names[number % len(names)]
        local = name.lower().translate(ASCII).replace(" ", ".").encode("ascii", "ignore").decode()
        turn = number // len(names)
        yield f"{local}{turn or ''}@example.com", name
