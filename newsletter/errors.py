"""The tree of everything that can go wrong, and what each branch tells the person.

    NewsletterError               exit  who can act
    |- ConfigError                   2  the owner, in newsletter.toml or pyproject.toml
    |- UsageError                    2  whoever typed the command
    |  |- NoSuchIssue                2
    |  `- AmbiguousIssue             2
    |- ArticleError                  3  the author, in one file of issues/
    |- TemplateError                 3  the designer, in one file of templates/
    |- ComposeError                  3  the author: the parts are fine, the whole is not
    |- MailRefused                   3  the last gate: these bytes must not leave the machine
    |- AudienceError                 2  whoever brings addresses
    |  |- AddressInvalid             2
    |  `- ImportRefused              2
    |- SendRefused                   6  a guard: already sent, audience not as expected
    |- StoreError                    1  the database
    |- JudgeUnavailable             75  the owner's spam filter: start it, or try later
    `- RelayError                   75  the relay: try later
       |- RelayUnavailable          75  no connection, no greeting
       |- RelayRefused              75  TLS, login or sender refused: ours to mend
       `- LineLost                  75  the line died in the middle of a transaction

An error says where (file:line), what, and what to do next. Bugs (TypeError, KeyError) are not in
this tree and keep their traceback.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar


class NewsletterError(Exception):
    """A failure a person can act on.

    `path` is relative to the publication where it can be, `line` counts from 1, `hint` is the next
    thing to do. `str(error)` is what the terminal shows after "Error: ".
    """

    exit_code: ClassVar[int] = 1
    code: str = "failed"

    def __init__(
        self,
        message: str,
        *,
        path: Path | str | None = None,
        line: int | None = None,
        hint: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = None if path is None else str(path)
        self.line = line
        self.hint = hint
        if code is not None:
            self.code = code

    @property
    def where(self) -> str:
        """`issues/x.md:3`, `issues/x.md`, or the empty string."""
        if self.path is None:
            return ""
        return self.path if self.line is None else f"{self.path}:{self.line}"

    def __str__(self) -> str:
        first = f"{self.where}: {self.message}" if self.where else self.message
        return first if self.hint is None else f"{first}\n  {self.hint}"

    def as_json(self) -> dict[str, Any]:
        """The error as `--json` prints it under the key "error"."""
        return {
            "code": self.code,
            "file": self.path,
            "line": self.line,
            "message": self.message,
            "hint": self.hint,
        }


class ConfigError(NewsletterError):
    """The configuration stops the start."""

    exit_code = 2
    code = "config"


class UsageError(NewsletterError):
    """The command as typed cannot be carried out."""

    exit_code = 2
    code = "usage"


class NoSuchIssue(UsageError):
    """No article answers to that name."""

    code = "issue.none"


class AmbiguousIssue(UsageError):
    """Several articles answer to that name; the hint lists them."""

    code = "issue.ambiguous"


class ArticleError(NewsletterError):
    """One article cannot be read; every other article still can."""

    exit_code = 3
    code = "article"


class TemplateError(NewsletterError):
    """A template is wrong; `path` and `line` are the template's."""

    exit_code = 3
    code = "template"


class ComposeError(NewsletterError):
    """The article is readable but no mail can be made of it."""

    exit_code = 3
    code = "compose"


class MailRefused(NewsletterError):
    """The last gate on the bytes of a mail said no."""

    exit_code = 3
    code = "mail"


class AudienceError(NewsletterError):
    """Something about the people, not the article."""

    exit_code = 2
    code = "audience"


class AddressInvalid(AudienceError):
    """One address cannot be mailed. The message never repeats control characters."""

    code = "audience.address"


class ImportRefused(AudienceError):
    """The file as a whole cannot be imported; nothing was written."""

    code = "audience.import"


class SendRefused(NewsletterError):
    """A guard stopped a send before anything left."""

    exit_code = 6
    code = "send"


class StoreError(NewsletterError):
    """The database could not be opened, read or written."""

    exit_code = 1
    code = "store"


class JudgeUnavailable(NewsletterError):
    """The configured spam filter did not answer, or not in its language."""

    exit_code = 75
    code = "check.spam"


class RelayError(NewsletterError):
    """The relay did not do what SMTP promises."""

    exit_code = 75
    code = "relay"


class RelayUnavailable(RelayError):
    """No connection, no greeting, or 421: try later."""

    code = "relay.unavailable"


class RelayRefused(RelayError):
    """TLS, login or our own sender address was refused: every recipient would fail the same way."""

    code = "relay.refused"


class LineLost(RelayError):
    """The connection died inside a transaction.

    `in_doubt` is true when the final dot may have left (RFC 5321 6.1, RFC 1047): the relay may
    have taken the mail, so it is never sent again silently. Where several mails were under way,
    `not_left` names those (by Message-ID) that certainly were not taken.
    """

    code = "relay.line_lost"

    def __init__(
        self, message: str, *, in_doubt: bool, not_left: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(message)
        self.in_doubt = in_doubt
        self.not_left = not_left
