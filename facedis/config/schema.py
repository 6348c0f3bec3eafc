"""What a setting is: a dataclass field with its default, help text, group and range.

Every setting is declared once, as a field of one of the dataclasses in this package. Settings files, command-line
options, help texts, checks and the reference documentation are derived from that declaration.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from facedis.errors import ConfigError

Device = Literal["auto", "cpu", "cuda", "mps"]
#: Values of settings that are given as keyword arguments: None means not given, a mapping is a whole table.
SettingValue = bool | int | float | str | Sequence[str] | Sequence[int] | Mapping[str, Any] | None
_KEY = "facedis"


class Check(NamedTuple):
    """A range of values, and its description in error messages."""

    description: str
    accepts: Callable[[Any], bool]


class Setting(NamedTuple):
    """What a field of a settings dataclass declares besides its type and default.

    Attributes:
        help: One line for `--help` and the documentation.
        group: Heading of the option in `--help`.
        check: Range of the value; None if every value of the type is allowed.
        advanced: Whether the option is listed by `--help-all` only.
        metavar: Placeholder of the value in `--help`.
    """

    help: str
    group: str
    check: Check | None
    advanced: bool
    metavar: str | None


class SettingField(NamedTuple):
    """A setting together with where it is declared.

    Attributes:
        table: Table of the settings file, such as "train" or "decoder".
        name: Field name, the key in that table.
        type: Type annotation.
        default: Default value.
        setting: Help, group and range.
    """

    table: str
    name: str
    type: Any
    default: Any
    setting: Setting

    @property
    def flag(self) -> str:
        """The command-line option; those of the decoder table carry its name, as in `--decoder.l1-weight`."""
        prefix = "decoder." if self.table == "decoder" else ""
        return f"--{prefix}{self.name.replace('_', '-')}"


def setting(
    default: Any,
    help: str,
    *,
    group: str = "",
    check: Check | None = None,
    advanced: bool = False,
    metavar: str | None = None,
) -> Any:
    """Declare a setting: a dataclass field with a default, a help text and a range."""
    return dataclasses.field(default=default, metadata={_KEY: Setting(help, group, check, advanced, metavar)})


def at_least(minimum: float) -> Check:
    """Accept values of `minimum` and above; of a text or tuple, its length is not checked."""
    return Check(f"at least {minimum:g}", lambda value: value >= minimum)


def more_than(minimum: float) -> Check:
    """Accept values above `minimum`."""
    return Check(f"more than {minimum:g}", lambda value: value > minimum)


def between(minimum: float, maximum: float) -> Check:
    """Accept values from `minimum` to `maximum`, both included."""
    return Check(f"between {minimum:g} and {maximum:g}", lambda value: minimum <= value <= maximum)


def below(maximum: float, minimum: float = 0) -> Check:
    """Accept values from `minimum` up to, but not including, `maximum`."""
    return Check(f"at least {minimum:g} and less than {maximum:g}", lambda value: minimum <= value < maximum)


def one_of(*values: Any) -> Check:
    """Accept the listed values only."""
    return Check("one of " + ", ".join(map(str, values)), lambda value: value in values)


def each_one_of(*values: str) -> Check:
    """Accept non-empty tuples of the listed words."""
    return Check("one or more of " + ", ".join(values), lambda found: bool(found) and set(found) <= set(values))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Base of the settings dataclasses: checks every field on construction."""

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in dataclasses.fields(self):
            if _KEY not in field.metadata:
                continue
            value, declared = getattr(self, field.name), field.metadata[_KEY]
            choices = get_args(hints[field.name]) if get_origin(hints[field.name]) is Literal else ()
            if choices and value not in choices:
                raise ConfigError(f"{flag(self, field.name)} is '{value}'", f"choose one of: {', '.join(choices)}")
            if isinstance(value, float) and not math.isfinite(value):
                raise ConfigError(f"{flag(self, field.name)} is {value}", "give a finite number")
            if declared.check and not declared.check.accepts(value):
                shown = ",".join(map(str, value)) if isinstance(value, tuple) else value
                raise ConfigError(f"{flag(self, field.name)} is {shown}", f"it must be {declared.check.description}")
        self.check_combinations()

    def check_combinations(self) -> None:
        """Raise ConfigError where two settings contradict each other."""


def tables_of(kind: type[Config]) -> dict[str, type[Config]]:
    """The sub-tables of `kind` by field name: fields that are settings dataclasses themselves."""
    hints = get_type_hints(kind)
    return {
        field.name: hints[field.name]
        for field in dataclasses.fields(kind)
        if isinstance(hints[field.name], type) and issubclass(hints[field.name], Config)
    }


def setting_fields(kind: type[Config], table: str) -> Iterator[SettingField]:
    """Every setting of `kind` and of its sub-tables, in the order of declaration."""
    hints, nested = get_type_hints(kind), tables_of(kind)
    for field in dataclasses.fields(kind):
        if field.name in nested:
            yield from setting_fields(nested[field.name], field.name)
        else:
            yield SettingField(table, field.name, hints[field.name], field.default, field.metadata[_KEY])


def flag(config: Config | type[Config], name: str) -> str:
    """The option of a setting of `config`, for error messages."""
    kind = config if isinstance(config, type) else type(config)
    prefix = "decoder." if kind.__name__ == "DecoderConfig" else ""
    return f"--{prefix}{name.replace('_', '-')}"
