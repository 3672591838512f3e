"""Jinja2 with the doors shut: two folders, plain nouns, bounded work.

Enters: template files. Leaves: an environment to render them in. A template is source only when
it is a file; a value is never compiled (deliverability 7.6). Against a hostile template
(deliverability 7.7): no underscore attributes, no file outside the folders, no endless loop, no
output without end. What this cannot bound is one expression that builds one huge string.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from functools import partial
from itertools import count
from pathlib import Path
from types import CodeType
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, nodes, pass_context
from jinja2.bccache import Bucket, BytecodeCache
from jinja2.environment import Environment
from jinja2.exceptions import SecurityError, TemplateNotFound, UndefinedError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from newsletter.model import Slot
from newsletter.slots import open_slots

STEPS_PER_RENDERING = 50_000
LARGEST_OPERAND = {"*": 100_000, "%": 100_000, "**": 64}

_steps: ContextVar[Iterator[int]] = ContextVar("_steps")


class UnknownNameError(UndefinedError):
    """A name that is nowhere; `owner` is what was asked for it, or `missing` at the top level."""

    def __init__(self, message: str | None = None, *, owner: Any = missing, name: str = "") -> None:
        super().__init__(message)
        self.owner = owner
        self.name = name


class Unknown(StrictUndefined):
    """StrictUndefined whose error remembers what was looked for."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: Any = UndefinedError,
    ) -> None:
        if exc is UndefinedError:
            exc = partial(UnknownNameError, owner=obj, name=name or "")
        super().__init__(hint, obj, name, exc)


class TemplateFolders(FileSystemLoader):
    """Templates file by file: the first folder that has one wins, and no symlink leads out.

    `{{ first_name | friend }}` is its token before Jinja2 sees it: a declared field is a slot even
    where a template has a variable of the same name."""

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        source, filename, fresh = super().get_source(environment, template)
        real = Path(filename).resolve()
        if not any(real.is_relative_to(Path(folder).resolve()) for folder in self.searchpath):
            raise TemplateNotFound(template, f"{template} is a link out of the templates folder")
        sandbox: Any = environment  # always a Sandbox
        opened, slots = open_slots(source, sandbox.fields)
        sandbox.slots.update((slot.token, slot) for slot in slots)
        return opened, filename, fresh


class Compiled(BytecodeCache):
    """The latest text of each template file, compiled: every page of the desk has a theme of its
    own, and compiling one takes 40 ms."""

    def __init__(self) -> None:
        self._latest: dict[str, tuple[str, CodeType | None]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._latest.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._latest[bucket.key] = bucket.checksum, bucket.code


_compiled = Compiled()


MOST_REMEMBERED = 2000


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of one theme. `fields` are the names of slots; `slots` fills with those
    that the templates read so far use, by token."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, folders: Iterable[Path], fields: Iterable[str]) -> None:
        self.fields = tuple(fields)
        self.slots: dict[str, Slot] = {}
        self._safe: dict[tuple[type, str], bool] = {}
        super().__init__(
            loader=TemplateFolders([str(folder) for folder in folders]),
            bytecode_cache=_compiled,
            undefined=Unknown,
            autoescape=lambda name: name is not None and name.endswith(".html"),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self.filters["counted"] = _counted

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(
                loop.iter, "counted", [], [], None, None, lineno=loop.lineno, environment=self
            )
        return tree

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """As Jinja's, which asks for the kind of the object and the name alone: remembered, since
        one mail asks four hundred times."""
        key = (type(obj), attr)
        if key not in self._safe:
            if len(self._safe) >= MOST_REMEMBERED:
                self._safe.clear()
            self._safe[key] = super().is_safe_attribute(obj, attr, value)
        return self._safe[key]

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        _step()
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "%" and isinstance(left, str):
            raise SecurityError("% does not format text here; use ~")
        for side in (left, right):
            size = len(side) if isinstance(side, str | list | tuple) else side
            if isinstance(size, int) and abs(size) > LARGEST_OPERAND[operator]:
                raise SecurityError(f"{operator} with so large an operand")
        return super().call_binop(context, operator, left, right)


def start_counting() -> None:
    """Give the rendering that starts now its own count of steps."""
    _steps.set(count(1))


def _step() -> None:
    if next(_steps.get()) > STEPS_PER_RENDERING:
        raise SecurityError(f"more than {STEPS_PER_RENDERING} loop turns and calls in one mail")


@pass_context
def _counted(_: Context, iterable: Iterable[Any]) -> Iterator[Any]:
    for item in iterable:
        _step()
        yield item
