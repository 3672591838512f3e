"""theme: which looks there are, what is in force, and one's own copies of templates."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.boundary import Desk, answer, json_option
from newsletter.cli.findings import counted
from newsletter.compose.template_files import TemplateFile, nearest, template_files
from newsletter.compose.theme import load_theme
from newsletter.defaults import default_folder
from newsletter.errors import UsageError
from newsletter.model import Letter


@click.group("theme", context_settings={"help_option_names": ["-h", "--help"]})
def theme_command() -> None:
    """The looks, the tokens of [theme], and your own copies of templates."""


@theme_command.command("list")
@json_option
@click.pass_obj
def list_looks(desk: Desk, as_json: bool) -> None:
    """List the looks, the tokens in force, and the templates of your own."""
    letter = desk.letter
    theme = load_theme(letter)
    tokens = {
        name: {"value": value, "set": letter.theme.sets(name)}
        for name, value in theme.in_force().items()
    }
    own = [file.name for file in _files(letter) if file.own]
    facts = {
        "command": "theme list",
        "looks": [{"name": name, "chosen": name == letter.theme.look} for name in theme.looks],
        "tokens": tokens,
        "own": own,
        "thumbnails": letter.theme.thumbnails,
    }
    lines = ["looks"]
    lines += [f"  {'*' if name == letter.theme.look else ' '} {name}" for name in theme.looks]
    lines.append("tokens (light, dark)")
    lines += [f"    {name:<13} {_spelt(token)}" for name, token in tokens.items()]
    lines.append("your own templates" if own else "no template of your own: newsletter theme eject")
    lines += [f"    {name}" for name in own]
    answer(facts, as_json=as_json, text="\n".join(lines))


def _spelt(token: dict[str, object]) -> str:
    value = token["value"]
    shown = ", ".join(value) if isinstance(value, list) else str("none" if value is None else value)
    return f"{shown}{'   set in [theme]' if token['set'] else ''}"


@theme_command.command("eject")
@click.argument("templates", nargs=-1, metavar="[TEMPLATE]...")
@click.option("--force", is_flag=True, help="Overwrite files of your own.")
@json_option
@click.pass_obj
def eject(desk: Desk, templates: tuple[str, ...], force: bool, as_json: bool) -> None:
    """Copy built-in templates into your templates folder, for editing.

    Without TEMPLATE: list what there is and whose file wins. A copy of yours wins over the
    built-in one from then on, also when a newer version of this program brings a better one.
    """
    letter = desk.letter
    files = _files(letter)
    if not templates:
        answer(_listed(files), as_json=as_json, text=_list_text(files, letter))
        return
    chosen = [_chosen(name.removeprefix("templates/"), files) for name in templates]
    _refuse_to_overwrite(chosen, letter, force=force)
    made = [_copy(file, letter) for file in chosen]
    shown = [_shown(path, letter) for path in made]
    text = "\n".join(f"created   {path}" for path in shown)
    text += f"\n{'It wins' if len(made) == 1 else 'They win'} over what comes with the program."
    answer({"command": "theme eject", "created": shown}, as_json=as_json, text=text)


def _files(letter: Letter) -> tuple[TemplateFile, ...]:
    return template_files(letter.templates, default_folder("templates"))


def _chosen(name: str, files: tuple[TemplateFile, ...]) -> TemplateFile:
    for file in files:
        if file.name == name:
            return file
    guess = nearest(name, [file.name for file in files])
    raise UsageError(
        f"no built-in template `{name}`" + (f". Did you mean `{guess}`?" if guess else ""),
        hint="what there is: newsletter theme eject",
    )


def _refuse_to_overwrite(files: list[TemplateFile], letter: Letter, *, force: bool) -> None:
    if letter.templates.resolve() == default_folder("templates").resolve():
        raise UsageError(
            "the templates of this publication are the built-in ones", hint="edit them in place"
        )
    there = [file.name for file in files if (letter.templates / file.name).exists()]
    if there and not force:
        raise UsageError(
            f"{', '.join(there)}: you have {counted(len(there), 'file')} of that name, and "
            "yours wins already",
            hint="--force overwrites it with the built-in one",
        )


def _copy(file: TemplateFile, letter: Letter) -> Path:
    copy = letter.templates / file.name
    if not copy.parent.resolve().is_relative_to(letter.templates.resolve()):
        raise UsageError(f"{_shown(copy, letter)} would be outside of the templates folder")
    copy.parent.mkdir(parents=True, exist_ok=True)
    if copy.is_symlink():
        copy.unlink()
    copy.write_bytes(file.built_in.read_bytes())
    return copy


def _shown(path: Path, letter: Letter) -> str:
    inside = path.is_relative_to(letter.root)
    return path.relative_to(letter.root).as_posix() if inside else str(path)


def _listed(files: tuple[TemplateFile, ...]) -> dict[str, object]:
    rows = [{"name": file.name, "own": str(file.own) if file.own else None} for file in files]
    return {"command": "theme eject", "templates": rows}


def _list_text(files: tuple[TemplateFile, ...], letter: Letter) -> str:
    rows = [
        f"{_shown(file.own, letter) + ' wins' if file.own else 'built-in':<34} {file.name}"
        for file in files
    ]
    return "\n".join([*rows, "copy one for editing: newsletter theme eject TEMPLATE"])
