"""Build settings from layers: defaults, preset, settings file, options.

Settings are grouped in tables, as in a settings file: `{"model": {"trunk": ...}, "decoder": {"l1_weight": ...}}`. The
tables [adversary], [retention], [decoder] and [runtime] are parts of `TrainConfig`.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from facedis.config.align_config import AlignConfig
from facedis.config.eval_config import EvalConfig
from facedis.config.model_config import ModelConfig
from facedis.config.schema import Config, SettingField, setting_fields, tables_of
from facedis.config.swap_eval_config import SwapEvalConfig
from facedis.config.train_config import TrainConfig
from facedis.errors import ConfigError

#: Settings by table: what a settings file, a preset or the options of a command contain.
Tables = Mapping[str, Mapping[str, Any]]
#: The main table of each settings dataclass.
MAIN_TABLES: dict[str, type[Config]] = {
    "align": AlignConfig,
    "model": ModelConfig,
    "train": TrainConfig,
    "eval": EvalConfig,
    "swap-eval": SwapEvalConfig,
}
#: Every table of a settings file, with the dataclass of its keys.
TABLES: dict[str, type[Config]] = MAIN_TABLES | tables_of(TrainConfig)

AnyConfig = TypeVar("AnyConfig", bound=Config)


def main_table(kind: type[Config]) -> str:
    """The table of the settings of `kind`, such as "train" of `TrainConfig`."""
    return next(name for name, known in TABLES.items() if known is kind)


def all_settings(*kinds: type[Config]) -> list[SettingField]:
    """Every setting of `kinds` and of their sub-tables, in the order of declaration."""
    return [found for kind in kinds for found in setting_fields(kind, main_table(kind))]


def resolve(kind: type[AnyConfig], *layers: Mapping[str, Any]) -> AnyConfig:
    """A `kind` from layers of settings, later ones winning; None means not given.

    Args:
        kind: The settings dataclass.
        layers: Settings by name. Those of a sub-table stand in a mapping of their own, as in a run's record,
            or, if the name is unambiguous, beside the others.

    Raises:
        ConfigError: An unknown name (the nearest known one is named) or a value out of range.
    """
    hints, nested = get_type_hints(kind), tables_of(kind)
    values: dict[str, Any] = {}
    parts: dict[str, list[Mapping[str, Any]]] = {name: [] for name in nested}
    for layer in layers:
        for key, value in layer.items():
            if key in nested and isinstance(value, Mapping):
                parts[key].append(value)
            elif key in nested or key not in hints:
                table = _table_of(kind, key)
                parts[table].append({key.rpartition(".")[2]: value})
            elif value is not None:
                values[key] = _convert(key, value, hints[key])
    return kind(**values, **{name: resolve(nested[name], *found) for name, found in parts.items() if found})


def resolve_tables(kind: type[AnyConfig], *layers: Tables) -> AnyConfig:
    """A `kind` from layers of tables, later ones winning.

    Raises:
        ConfigError: As `resolve`.
    """
    return resolve(kind, *(_layer(kind, tables) for tables in layers))


def to_tables(kinds: Iterable[type[Config]], flat: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Settings by name to settings by table; None values are left out.

    Args:
        kinds: The dataclasses that declare the settings; the first one that knows a name gets it.
        flat: Values by name. A dotted name, as in "decoder.l1_weight", names its table; a mapping is a whole table.

    Raises:
        ConfigError: An unknown name.
    """
    tables: dict[str, dict[str, Any]] = {}
    known = all_settings(*kinds)
    for key, value in flat.items():
        if isinstance(value, Mapping) and key in TABLES:
            tables.setdefault(key, {}).update(value)
        elif value is not None:
            table, _, name = key.replace("-", "_").rpartition(".")
            table = table.replace("_", "-")
            found = [each for each in known if each.name == name and table in (each.table, "")]
            if not table:  # a name that occurs in [decoder] too means the setting outside it
                found = [each for each in found if each.table != "decoder"]
            if not found:
                raise ConfigError(f"unknown setting '{key}'", _nearest(key, [_dotted(each) for each in known]))
            tables.setdefault(found[0].table, {})[name] = value
    return tables


def merge_tables(*layers: Tables) -> dict[str, dict[str, Any]]:
    """The settings of all layers, later ones winning."""
    merged: dict[str, dict[str, Any]] = {}
    for tables in layers:
        for name, table in tables.items():
            merged.setdefault(name, {}).update(table)
    return merged


def as_dict(config: Config) -> dict[str, Any]:
    """`config` in JSON's own types; `resolve(type(config), as_dict(config)) == config`."""
    return _plain(asdict(config))


def as_tables(*configs: Config) -> dict[str, dict[str, Any]]:
    """`configs` as tables of a settings file; every setting is present."""
    tables: dict[str, dict[str, Any]] = {}
    for config in configs:
        values, nested = as_dict(config), tables_of(type(config))
        tables[main_table(type(config))] = {name: value for name, value in values.items() if name not in nested}
        tables |= {name: values[name] for name in nested}
    return tables


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _layer(kind: type[Config], tables: Tables) -> dict[str, Any]:
    own = tables.get(main_table(kind), {})
    unknown = next(
        (key for key in own if key not in {field.name for field in fields(kind)} - set(tables_of(kind))), None
    )
    if unknown is not None:  # a key of another table would be accepted by `resolve`
        raise ConfigError(f"[{main_table(kind)}] has no setting '{unknown}'", _where(unknown, kind))
    return {**own, **{name: tables[name] for name in tables_of(kind) if name in tables}}


def _where(name: str, kind: type[Config]) -> str:
    table = next((each.table for each in all_settings(*MAIN_TABLES.values()) if each.name == name), None)
    if table is not None:
        return f"it belongs to [{table}]"
    return _nearest(name, [field.name for field in fields(kind)])


def _table_of(kind: type[Config], key: str) -> str:
    """The sub-table of a setting that is named outside of it."""
    table, _, name = key.rpartition(".")
    for each in setting_fields(kind, ""):
        if each.name == name and each.table and (table == each.table or (not table and each.table != "decoder")):
            return each.table
    raise ConfigError(f"unknown setting '{key}'", _nearest(key, [_dotted(each) for each in setting_fields(kind, "")]))


def _dotted(each: SettingField) -> str:
    return f"decoder.{each.name}" if each.table == "decoder" else each.name


def _convert(key: str, value: Any, hint: Any) -> Any:
    """Accept 1 for 1.0 and a list, or comma-separated words, for a tuple; nothing else of another type."""
    if get_origin(hint) is tuple:
        return _tuple(key, value, get_args(hint)[0])
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ConfigError(f"'{key}' is too large", "give a smaller number") from None
    expected = str if get_origin(hint) is Literal else hint
    if get_origin(hint) in (Union, UnionType):
        expected = get_args(hint)
    if not isinstance(value, expected) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(
            f"'{key}' is {str(value)[:60]!r}", f"it must be of type {getattr(expected, '__name__', expected)}"
        )
    return value


def _tuple(key: str, value: Any, item: type) -> tuple[Any, ...]:
    if isinstance(value, str):
        value = [word.strip() for word in value.split(",") if word.strip()]
        if item is int and all(word.isdecimal() for word in value):
            value = [int(word) for word in value]
    if not isinstance(value, (list, tuple)) or not all(type(each) is item for each in value):
        raise ConfigError(f"'{key}' is {str(value)[:60]!r}", f"it must be a list of type {item.__name__}")
    return tuple(value)


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.replace("-", "_"), list(known), n=1)
    return f"did you mean '{near[0]}'?" if near else "see --help-all for every setting"
