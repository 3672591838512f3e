"""[dkim]: with what mail is signed, and where the private keys are."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field, model_validator

from newsletter.config.table import Table

# A label or several, as in the DNS (RFC 6376 3.1); it also names the file that `keygen` writes.
SELECTOR = r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$"


class KeyPlace(NamedTuple):
    """Where a private key is: in a variable, a file, or what a command prints."""

    variable: str | None
    path: str | None
    command: str | None


class DkimTable(Table):
    """[dkim]: the keys that mail is signed with; the DNS record: newsletter dkim keygen."""

    selector: str | None = Field(default=None, pattern=SELECTOR, max_length=63)
    key_env: str | None = Field(default=None, description="variable that holds the PEM")
    key_file: str | None = Field(default=None, description="PEM, readable by its owner only")
    key_command: str | None = Field(default=None, description="prints the PEM")
    ed25519_selector: str | None = Field(
        default=None, pattern=SELECTOR, max_length=63, description="of a second, shorter signature"
    )
    ed25519_key_env: str | None = None
    ed25519_key_file: str | None = None
    ed25519_key_command: str | None = None
    domain: str | None = Field(
        default=None, pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", description="default: From's domain"
    )

    @model_validator(mode="after")
    def _whole(self) -> DkimTable:
        for prefix, selector, place in self._pairs():
            named = [where for where in place if where is not None]
            if len(named) > 1:
                places = f"key_env, {prefix}key_file and {prefix}key_command"
                raise ValueError(f"name one of {places}")
            if bool(named) != (selector is not None):
                raise ValueError(f"{prefix}selector and {prefix}key_file go together")
        if self.domain and not self.selector and not self.ed25519_selector:
            raise ValueError("a domain needs a selector and a key")
        if self.selector is not None and self.selector == self.ed25519_selector:
            raise ValueError("each key has a selector of its own")
        return self

    def places(self) -> list[tuple[str, KeyPlace]]:
        """Each selector with the place of its key."""
        return [(selector, place) for _, selector, place in self._pairs() if selector is not None]

    def _pairs(self) -> list[tuple[str, str | None, KeyPlace]]:
        second = KeyPlace(self.ed25519_key_env, self.ed25519_key_file, self.ed25519_key_command)
        return [
            ("", self.selector, KeyPlace(self.key_env, self.key_file, self.key_command)),
            ("ed25519_", self.ed25519_selector, second),
        ]


def aligned(domain: str, author: str) -> bool:
    """Whether a signature of `domain` can speak for mail from `author`'s domain: the same, or one
    above the other (RFC 7489 3.1.1, relaxed)."""
    return domain == author or author.endswith(f".{domain}") or domain.endswith(f".{author}")
