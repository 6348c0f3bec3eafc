"""Writes docs/commands/ from the program itself: one page a command, and their index.

Run `python docs/generate_commands.py` after changing a command; `--check` only says what is stale.
The pages come from the signatures of the commands' functions, which are what Typer reads too.
"""

import dataclasses
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo

from facedis import plugins
from facedis.config import SECTIONS
from facedis.presets import DRAWING, PRESETS, SCENES, STRANGERS

FOLDER = Path(__file__).parent / "commands"
_NOTE = "<!-- Written by docs/generate_commands.py from the program itself: change the command, not this page. -->\n"
#: Whose fields a command's options are, where they carry the same names.
_STAGES = {
    "align": ("align",),
    "train": ("model", "train"),
    "ablate": ("model", "train"),
    "eval": ("eval",),
    "swap-eval": ("swap-eval",),
}
_WORDS = {int: "NUMBER", float: "NUMBER", str: "TEXT", Path: "PATH"}


class Row(NamedTuple):
    """An argument or option as a page shows it."""

    usage: str  # empty for an option
    names: str
    meaning: str
    group: str


def pages() -> dict[str, str]:
    """The text of every page by file name, for the commands that facedis itself brings."""
    points = plugins.discover(plugins.COMMANDS)
    own = {name: point.load() for name, point in points.items() if point.value.startswith("facedis.")}
    return {"index.md": index(own), **{f"{name}.md": page(name, command) for name, command in own.items()}}


def page(name: str, command: Callable[..., Any]) -> str:
    """One command: what it does, its arguments, its options group by group."""
    found = rows(command, defaults(name))
    arguments, options = [row for row in found if row.usage], [row for row in found if not row.usage]
    usage = " ".join(["facedis", name, *(["[OPTIONS]"] if options else []), *(row.usage for row in arguments)])
    parts = [_NOTE, f"# facedis {name}\n", help_text(command) + "\n", f"```\n{usage}\n```\n"]
    if arguments:
        parts.append(_table("Argument", arguments))
    for group in dict.fromkeys(row.group for row in options):
        heading = [f"## {group}\n"] if group else []
        parts += [*heading, _table("Option", [row for row in options if row.group == group])]
    if "preset" in inspect.signature(command).parameters:
        parts.append(_presets())
    return "\n".join(parts)


def defaults(name: str) -> dict[str, Any]:
    """The default of every setting of the command's stages, for options that leave it to the settings."""
    kinds = [SECTIONS[stage] for stage in _STAGES.get(name, ())]
    return {field.name: field.default for kind in kinds for field in dataclasses.fields(kind)}


def index(own: dict[str, Callable[..., Any]]) -> str:
    """All commands with the first paragraph of their help, and what holds for each of them."""
    table = [f"| [`{name}`]({name}.md) | {_cell(help_text(own[name]).split(chr(10) * 2)[0])} |" for name in own]
    return "\n".join([_NOTE, "# Commands\n", "| Command | What it does |", "|---|---|", *table, "", _COMMON])


_COMMON = """\
Every command takes `--help`. A mistake in what you typed or in a file is one line on stderr and exit
code 2; 130 means that you stopped it. Results go to stdout, progress and warnings to stderr.

Settings come from, each one winning over those before it: the defaults, the preset, the table of the
command's stage in the TOML file given with `--config` (`[align]`, `[model]`, `[train]`, `[eval]`,
`[swap-eval]`), the options typed. The option `--weight-decay` is the key `weight_decay` in the file.

Shell completion: `facedis --install-completion`. The version: `facedis --version`.

A package of your own can add a command: see `examples/plugin` and [the architecture](../architecture.md).
"""


def rows(command: Callable[..., Any], known: Mapping[str, Any]) -> list[Row]:
    """What `command` takes, in the order of its signature; `known` are defaults from the settings."""
    hints = get_type_hints(command, include_extras=True)
    return [_row(parameter, hints[name], known) for name, parameter in inspect.signature(command).parameters.items()]


def help_text(command: Callable[..., Any]) -> str:
    """The docstring, up to the form feed behind which Typer hides what is only for readers of the code."""
    return inspect.cleandoc((command.__doc__ or "").partition("\f")[0]).strip()


def _row(parameter: inspect.Parameter, hint: Any, known: Mapping[str, Any]) -> Row:
    annotation, info = get_args(hint)[:2]
    required = parameter.default is inspect.Parameter.empty
    default = known.get(parameter.name) if required or parameter.default is None else parameter.default
    meaning = _cell(info.help or "")
    if default is not None and default is not False and "Default" not in meaning:
        meaning += f" Default: `{_shown(default)}`."
    if isinstance(info, ArgumentInfo):
        usage = info.metavar or parameter.name.upper()
        usage += "..." if get_origin(annotation) is list else ""
        return Row(usage if required else f"[{usage}]", f"`{usage}`", meaning, "")
    # In Annotated[...], Typer keeps the first name given to Option() where a default would stand.
    names = [name for name in (info.default, *(info.param_decls or ())) if isinstance(name, str)]
    names = names or [f"--{parameter.name.replace('_', '-')}"]
    value = info.metavar or _value(annotation)
    return Row("", f"`{', '.join(names)}{f' {value}' if value else ''}`", meaning, info.rich_help_panel or "")


def _value(annotation: Any) -> str:
    """The word for an option's value; none for a flag."""
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(kind for kind in get_args(annotation) if kind is not type(None))
    if get_origin(annotation) in (list, tuple):
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Literal:
        return "{" + ",".join(map(str, get_args(annotation))) + "}"
    return "" if annotation is bool else _WORDS.get(annotation, "VALUE")


def _presets() -> str:
    """What each preset sets otherwise than the defaults."""
    lines = ["## Presets\n", "The defaults above are those of the preset `paper`."]
    for name, tables in PRESETS.items():
        changes = [f"`{key} = {_shown(value)}`" for table in tables.values() for key, value in table.items()]
        if changes:
            lines.append(f"The preset `{name}` changes {', '.join(changes)}.")
    lines.append(
        "With a rest branch, `small` also draws: `decoder = detached`, with beta1 above 0 `joint`. "
        "So does `clean`: `decoder = later`, with beta1 above 0 `joint`."
    )
    drawing = [f"`{key} = {_shown(value)}`" for table in DRAWING.values() for key, value in table.items()]
    lines.append(f"Where its decoder learns later, `clean` has {', '.join(drawing)}.")
    people = [f"`{key} = {_shown(value)}`" for key, value in STRANGERS.items()]
    lines.append(f"Where nobody is known by name, `clean` has {', '.join(people)} instead of a branch for the person.")
    scenes = [f"`{key} = {_shown(value)}`" for table in SCENES.values() for key, value in table.items()]
    lines.append(f"And where it learns from scenes, {', '.join(scenes)}.")
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _table(title: str, shown: list[Row]) -> str:
    return "\n".join(
        [f"| {title} | Meaning |", "|---|---|", *(f"| {row.names} | {row.meaning} |" for row in shown), ""]
    )


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def main() -> int:
    """Write the pages, or with --check only compare; 1 where a page is stale."""
    wanted = pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    stale = sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))
    if "--check" in sys.argv[1:]:
        print("\n".join(f"stale: docs/commands/{name}" for name in stale) or "docs/commands is up to date")
        return bool(stale)
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        if name in wanted:
            (FOLDER / name).write_text(wanted[name], encoding="utf-8")
        else:
            (FOLDER / name).unlink()
        print(f"docs/commands/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
