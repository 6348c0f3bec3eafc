"""Options of commands, generated from the settings they set.

`@settings_options(ModelConfig, TrainConfig)` gives a command one option per setting, with its type, default, choices,
help and group, and the options `--config`, `--set`, `--print-config` and `--help-all`.
"""

import functools
import inspect
import re
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import typer

from facedis.config import (
    Config,
    SettingsFile,
    Tables,
    all_settings,
    as_tables,
    merge_tables,
    read_settings,
    resolve_tables,
    to_tables,
    to_toml,
)
from facedis.config.schema import SettingField
from facedis.errors import ConfigError

AnyConfig = TypeVar("AnyConfig", bound=Config)
_SETTINGS_FILES = "Settings"


@dataclass(frozen=True)
class Given:
    """The settings that a command was given.

    Attributes:
        file: The file of `--config`; an empty one without it.
        typed: Settings of `--set` and of the options that were typed, by table.
        print_config: Whether to print the resolved settings and stop.
    """

    file: SettingsFile
    typed: Tables
    print_config: bool = False

    @property
    def tables(self) -> Tables:
        """Settings of the file and of the command line, by table; the latter win."""
        return merge_tables(self.file.tables, self.typed)

    def resolve(self, kind: type[AnyConfig]) -> AnyConfig:
        """A `kind` from the defaults, the file and the command line.

        Raises:
            ConfigError: An unknown setting or a value out of range.
            typer.Exit: `--print-config` was typed; the settings are on stdout.
        """
        config = resolve_tables(kind, self.file.tables, self.typed)
        if self.print_config:
            print_settings(as_tables(config))
        return config


def print_settings(tables: Tables, preset: str | None = None, faces: Path | None = None) -> None:
    """Print settings as TOML on stdout and end the command."""
    sys.stdout.write(to_toml(tables, preset, faces))
    raise typer.Exit


def settings_options(*kinds: type[Config], only: Collection[str] | None = None) -> Callable[[Callable], Callable]:
    """Decorate a command that takes `given: Given` with the options of `kinds`.

    Args:
        kinds: Settings dataclasses; if two of them declare a name, the option is the first one's.
        only: Names of the settings to make options of; None for all. `--set` accepts the others.
    """
    fields: dict[str, SettingField] = {}
    for each in all_settings(*kinds):
        if only is None or each.name in only:
            fields.setdefault(_parameter(each), each)

    def decorate(function: Callable) -> Callable:
        own = inspect.signature(function).parameters
        parameters = [each for name, each in own.items() if name != "given"]
        named = [each for each in parameters if isinstance(_info(each), typer.models.ArgumentInfo)]
        rest = [each for each in parameters if each not in named]
        generated = [_option(name, each) for name, each in fields.items() if name not in own]

        @functools.wraps(function)
        def command(**values: Any) -> None:
            context: typer.Context = values.pop("ctx")
            file, sets, print_config = (values.pop(name) for name in ("config", "set_", "print_config"))
            values.pop("help_all")
            flat = {name: value for name, value in values.items() if name in fields and _typed(context, name)}
            tables = to_tables(kinds, {_dotted(fields[name]): value for name, value in flat.items()})
            given = Given(read_settings(file), merge_tables(_parse_sets(sets or [], kinds), tables), print_config)
            function(given=given, **{name: value for name, value in values.items() if name in own})

        first = [inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
        everything = [*first, *named, *rest, *generated, *_common()]
        command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in everything]
        )
        command.__annotations__ = {each.name: each.annotation for each in everything}
        return command

    return decorate


def _common() -> list[inspect.Parameter]:
    config = typer.Option(
        "--config",
        help="Settings file (TOML).",
        show_default="none",
        rich_help_panel=_SETTINGS_FILES,
    )
    sets = typer.Option(
        "--set",
        help="Any setting by name; repeatable.",
        metavar="NAME=VALUE",
        show_default="none",
        rich_help_panel=_SETTINGS_FILES,
    )
    printing = typer.Option(
        "--print-config",
        help="Print the settings as TOML and exit.",
        show_default="off",
        rich_help_panel=_SETTINGS_FILES,
    )
    return [
        _keyword("config", Annotated[Path | None, config], None),
        _keyword("set_", Annotated[list[str] | None, sets], None),
        _keyword("print_config", Annotated[bool, printing], False),
        _keyword("help_all", Annotated[bool, help_all_option()], False),
    ]


def help_all_option() -> Any:
    """The option `--help-all` of a command with advanced options."""
    return typer.Option(
        "--help-all",
        help="Show every option and exit.",
        is_eager=True,
        callback=_help_all,
        show_default="off",
        rich_help_panel=_SETTINGS_FILES,
    )


def _help_all(context: typer.Context, value: bool) -> None:
    if value:
        for parameter in context.command.params:
            parameter.hidden = False  # type: ignore[attr-defined]
        text = context.get_help()
        if text:
            typer.echo(text)
        raise typer.Exit


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _info(parameter: inspect.Parameter) -> Any:
    return next((each for each in get_args(parameter.annotation)[1:]), None)


def _parameter(each: SettingField) -> str:
    return f"decoder_{each.name}_" if each.table == "decoder" else each.name


def _dotted(each: SettingField) -> str:
    return f"{each.table}.{each.name}"


def _option(name: str, each: SettingField) -> inspect.Parameter:
    is_tuple, choices = get_origin(each.type) is tuple, get_args(each.type) if get_origin(each.type) is Literal else ()
    default = ",".join(map(str, each.default)) if is_tuple else each.default
    declared = each.setting
    option = typer.Option(
        each.flag,
        help=_help(declared.help, choices),
        rich_help_panel=declared.group or None,
        hidden=declared.advanced,
        metavar=declared.metavar or ("NAME" if choices else None),
        show_default=_NO_DEFAULT.get(str(default), True),
    )
    return _keyword(name, Annotated[str if is_tuple else each.type, option], default)


#: How defaults that are no values are shown.
_NO_DEFAULT = {"": "none", "False": "off"}


def _help(text: str, choices: Collection[str]) -> str:
    """The help text, with the choices where it does not name them itself."""
    missing = [each for each in choices if not re.search(rf"(?<![\w-]){re.escape(each)}(?![\w-])", text)]
    return f"{text} One of {', '.join(choices)}." if missing else text


def _typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name in ("COMMANDLINE", "ENVIRONMENT")


def _parse_sets(words: list[str], kinds: tuple[type[Config], ...]) -> Mapping[str, Mapping[str, Any]]:
    """The values of `--set`: each is read as TOML where it is TOML, else as a text."""
    flat: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--set {word}", "write it as --set NAME=VALUE, as in --set decoder.gan-weight=0.03")
        flat[key.strip()] = _value(text.strip())
    return to_tables(kinds, flat)


def _value(text: str) -> Any:
    from facedis.config.settings_file import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def reflow(text: str) -> str:
    """A docstring as help text: paragraphs on one line each, and brackets that are not markup."""
    paragraphs = inspect.cleandoc(text.partition("\f")[0]).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).replace("[", "\\[")
