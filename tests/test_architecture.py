"""The house stands as DESIGN draws it: floors, sizes, words. Read from the sources by `ast`."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "newsletter"

# The house from the ground up, one line a storey: what it may import lies in the lines above it.
# The numbers are DESIGN's floors; floor 1 has two landings, since the configuration knows the
# names of slots and relays, and the secrets know the configuration.
STOREYS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (0, ("errors", "model")),
    (1, ("bootstrap", "defaults", "presets", "slots", "smtputf8")),
    (1, ("composed", "config")),
    (1, ("credentials",)),
    (2, ("articles", "audience", "compose", "linkcheck", "mime", "smtp", "spamcheck", "store")),
    (3, ("lint", "pipeline")),
    (4, ("delivery", "sample", "shelf")),
    (4, ("report",)),
    (5, ("preview", "web")),
    (6, ("cli",)),
    (7, ("__main__",)),
)
STOREY = {part: height for height, (_, parts) in enumerate(STOREYS) for part in parts}
FLOOR = {part: floor for floor, parts in STOREYS for part in parts}

# More than 4 parameters, because somebody else calls them, or the errors' one way to be raised.
SIGNATURES_AS_GIVEN = frozenset(
    {
        "newsletter.compose.dialect._any_fence",  # a validator of pymdownx.superfences
        "newsletter.compose.dialect._fence",  # a formatter of pymdownx.superfences
        "newsletter.smtp.inbox.handle_RCPT",  # a hook of aiosmtpd
        "newsletter.errors.__init__",  # what, and where: path, line, hint, code
    }
)
# Roles that pass for names: a module is named for what it makes or holds.
FORBIDDEN_NAMES = frozenset(
    [
        "base",
        "common",
        "core",
        "data",
        "handle",
        "handler",
        "handlers",
        "helper",
        "helpers",
        "info",
        "manager",
        "misc",
        "process",
        "processor",
        "shared",
        "util",
        "utils",
    ]
)
# What only some commands need is imported there; these floors are imported by all of them.
HEAVY = frozenset(
    [
        "aiosmtpd",
        "cryptography",
        "css_inline",
        "cssutils",
        "jinja2",
        "lxml",
        "markdown",
        "premailer",
        "pydantic",
        "pygments",
        "pymdownx",
        "rich",
        "starlette",
        "uvicorn",
        "watchfiles",
        "yaml",
    ]
)
LIGHT = ("__init__", "errors", "model", "slots", "presets", "bootstrap")
MOST_LINES = 400
MOST_FUNCTION_LINES = 50
MOST_PARAMETERS = 4

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """One source file of the package, read."""

    name: str
    path: Path
    lines: int
    tree: ast.Module

    @property
    def part(self) -> str:
        """What stands on a floor: `smtp` for newsletter.smtp.client."""
        return self.name.split(".")[1] if "." in self.name else "__init__"

    def at(self, node: ast.expr | ast.stmt) -> str:
        return f"{self.path.relative_to(ROOT)}:{node.lineno}"


@cache
def modules() -> tuple[Module, ...]:
    return tuple(read(path) for path in sorted(PACKAGE.rglob("*.py")))


def read(path: Path) -> Module:
    inner = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(inner[:-1] if inner[-1] == "__init__" else inner)
    source = path.read_text(encoding="utf-8")
    return Module(name, path, source.count("\n"), ast.parse(source))


def imports(module: Module) -> Iterator[tuple[ast.stmt, str]]:
    """Each name a module imports, from anywhere in it: lazy imports obey the floors too."""
    package = module.name if module.path.name == "__init__.py" else module.name.rpartition(".")[0]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            levels = package.split(".")[: len(package.split(".")) - node.level + 1]
            origin = ".".join([*levels, *filter(None, [node.module])]) if node.level else ""
            origin = origin or str(node.module)
            yield from ((node, f"{origin}.{alias.name}") for alias in node.names)


def own_imports(module: Module) -> Iterator[tuple[ast.stmt, str]]:
    """The parts of `newsletter` a module imports, besides its own part."""
    for node, name in imports(module):
        words = name.split(".")
        if words[0] == "newsletter" and len(words) > 1 and words[1] != module.part:
            is_part = (PACKAGE / words[1]).is_dir() or (PACKAGE / f"{words[1]}.py").is_file()
            yield node, words[1] if is_part else "__init__"


def functions(module: Module) -> Iterator[Function]:
    for node in ast.walk(module.tree):
        if isinstance(node, Function):
            yield node


def length(function: Function) -> int:
    """Lines from `def` to the end, the docstring not counted: it may be as long as it must."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    has_docstring = ast.get_docstring(function, clean=False) is not None
    return lines - ((first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0)


def parameters(function: Function) -> list[str]:
    """The names a caller passes, `self` and `cls` left out."""
    spec = function.args
    names = [a.arg for a in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls")]


def is_click_command(function: Function) -> bool:
    """Whether Click calls it, with a parameter for each option of the command."""
    words = {ast.unparse(d).partition("(")[0].rpartition(".")[2] for d in function.decorator_list}
    return bool(words & {"command", "group"})


def no(offenders: list[str]) -> None:
    """Fail naming every offender, one a line."""
    if offenders:
        pytest.fail("\n".join(["", *offenders]), pytrace=False)


def test_every_part_stands_on_a_floor() -> None:
    parts = {module.part for module in modules()} - {"__init__"}
    no([f"newsletter.{part}: give it a place in STOREYS" for part in sorted(parts - set(STOREY))])


def test_a_module_imports_only_lower_floors() -> None:
    no(
        [
            f"{module.at(node)}: {module.part} (floor {FLOOR[module.part]}) imports {part}"
            f" (floor {FLOOR[part]})"
            for module in modules()
            if module.part in STOREY
            for node, part in own_imports(module)
            if part in STOREY and STOREY[part] >= STOREY[module.part]
        ]
    )


def test_the_package_itself_imports_nothing() -> None:
    no(
        [
            module.at(n)
            for module in modules()
            if module.part == "__init__"
            for n, _ in imports(module)
        ]
    )


def test_the_bootstrap_needs_the_standard_library_only() -> None:
    allowed = {"newsletter", *sys.stdlib_module_names}
    paths = ("newsletter.bootstrap", "newsletter.errors")
    no(
        [
            f"{module.at(node)}: imports {name}"
            for module in modules()
            if module.name.startswith(paths)
            for node, name in imports(module)
            if name.split(".")[0] not in allowed
        ]
    )


def test_the_lowest_floors_import_nothing_heavy() -> None:
    no(
        [
            f"{module.at(node)}: imports {name}"
            for module in modules()
            if module.part in LIGHT
            for node, name in imports(module)
            if name.split(".")[0] in HEAVY
        ]
    )


def test_no_modules_of_a_package_import_each_other_in_a_circle() -> None:
    names = {module.name for module in modules()}
    graph = {
        module.name: {n for _, name in top_level_imports(module) for n in resolved(name, names)}
        for module in modules()
    }
    no([" -> ".join(circle) for circle in circles(graph)])


def top_level_imports(module: Module) -> Iterator[tuple[ast.stmt, str]]:
    """Imports that run when the module is imported; those inside functions cannot make a circle."""
    top = {id(node) for node in module.tree.body}
    return ((node, name) for node, name in imports(module) if id(node) in top)


def resolved(name: str, names: set[str]) -> set[str]:
    """The module that an imported name leads to, if it is one of ours."""
    return {name} if name in names else {name.rpartition(".")[0]} & names


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    found: list[list[str]] = []
    done: set[str] = set()

    def walk(name: str, trail: list[str]) -> None:
        if name in trail:
            found.append([*trail[trail.index(name) :], name])
            return
        if name in done:
            return
        for after in sorted(graph[name] - {name}):
            walk(after, [*trail, name])
        done.add(name)

    for start in sorted(graph):
        walk(start, [])
    return found


def test_no_module_is_longer_than_400_lines() -> None:
    long = [module for module in modules() if module.lines > MOST_LINES]
    no([f"{module.path.relative_to(ROOT)}: {module.lines} lines" for module in long])


def test_no_function_is_longer_than_50_lines() -> None:
    no(
        [
            f"{module.at(function)}: {function.name} has {length(function)} lines"
            for module in modules()
            for function in functions(module)
            if length(function) > MOST_FUNCTION_LINES
        ]
    )


def test_half_of_the_functions_have_fewer_than_10_lines() -> None:
    assert median(length(f) for module in modules() for f in functions(module)) < 10


def test_a_function_takes_at_most_4_parameters() -> None:
    no(
        [
            f"{module.at(function)}: {function.name} takes {len(names)}: {', '.join(names)}"
            for module in modules()
            for function in functions(module)
            if len(names := parameters(function)) > MOST_PARAMETERS
            and not is_click_command(function)
            and f"{module.name}.{function.name}" not in SIGNATURES_AS_GIVEN
        ]
    )


def test_nothing_in_the_library_prints() -> None:
    no(
        [
            f"{module.at(node)}: {ast.unparse(node)[:60]}"
            for module in modules()
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "pprint.pprint")
        ]
    )


def test_only_doors_to_people_write_to_the_terminal() -> None:
    no(
        [
            f"{module.at(node)}: {ast.unparse(node)[:60]}"
            for module in modules()
            if module.part not in ("cli", "bootstrap")
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute)
            and ast.unparse(node) in ("sys.stdout", "sys.stderr", "click.echo")
        ]
    )


def test_no_module_has_a_name_that_says_nothing() -> None:
    no(
        [
            str(module.path.relative_to(ROOT))
            for module in modules()
            if FORBIDDEN_NAMES & set(module.name.replace("_", ".").split("."))
        ]
    )


def test_every_module_opens_with_a_docstring() -> None:
    no(
        [
            str(module.path.relative_to(ROOT))
            for module in modules()
            if module.lines and not ast.get_docstring(module.tree)
        ]
    )


def test_the_top_level_is_the_one_in_the_readme() -> None:
    expected = {"newsletter", "issues", "templates", "tests", "docs", "send.py", "pyproject.toml"}
    expected |= {"README.md", "LICENSE"}
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    found -= {"build", "dist", "uv.lock"}
    assert found <= expected, "the top level is fixed: put it in one of the folders"


def test_the_drawing_of_the_errors_is_complete() -> None:
    [errors] = [module for module in modules() if module.name == "newsletter.errors"]
    drawn = ast.get_docstring(errors.tree) or ""
    classes = [node.name for node in errors.tree.body if isinstance(node, ast.ClassDef)]
    no([f"{name} is not drawn in errors.py" for name in classes if name not in drawn])


def test_the_floors_test_sees_a_climber() -> None:
    climber = Module(
        "newsletter.smtp.x",
        PACKAGE / "smtp" / "x.py",
        1,
        ast.parse("def f():\n from newsletter import pipeline\n from ..store import a"),
    )
    parts = [part for _, part in own_imports(climber)]
    assert parts == ["pipeline", "store"]
    assert all(STOREY[part] >= STOREY[climber.part] for part in parts)


def test_the_circle_test_sees_a_circle() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == [["a", "b", "c", "a"]]
