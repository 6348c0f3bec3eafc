"""Entry points of commands, dataset readers, detectors and trunks, built-in ones included."""

import warnings
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from facedis.errors import ConfigError

COMMANDS = "facedis.commands"
DATASETS = "facedis.datasets"
DETECTORS = "facedis.detectors"
TRUNKS = "facedis.trunks"


def discover(group: str) -> dict[str, EntryPoint]:
    """Return all entry points of `group` by name, sorted.

    Where two have the same name, the built-in one is kept and a warning names the other.
    """
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=group):
        other = found.get(point.name)
        if other is None or (_is_built_in(point) and not _is_built_in(other)):
            found[point.name] = point
        if other is not None and other.value != point.value:
            ignored = other if found[point.name] is point else point
            _warn(f"{group} '{point.name}' of {_origin(ignored)} is ignored: the name is taken")
    return dict(sorted(found.items()))


def load(point: EntryPoint) -> Any | None:
    """Load an entry point; None with a warning where its import fails."""
    try:
        return point.load()
    except Exception as error:  # a plugin may raise anything and must not stop facedis
        _warn(f"plugin '{point.name}' of {_origin(point)} does not load: {type(error).__name__}: {error}")
        return None


def load_by_name(group: str, name: str) -> Any:
    """Load the entry point `name` of `group`.

    Raises:
        ConfigError: The name is unknown, or the plugin cannot be loaded.
    """
    points = discover(group)
    if name not in points:
        kind = group.rpartition(".")[2][:-1]
        raise ConfigError(f"there is no {kind} '{name}'", f"choose one of: {', '.join(points)}")
    plugin = load(points[name])
    if plugin is None:
        raise ConfigError(f"'{name}' cannot be loaded", "see the warning above, or uninstall its package")
    return plugin


def _origin(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.value


def _is_built_in(point: EntryPoint) -> bool:
    return point.value.startswith("facedis.")


def _warn(text: str) -> None:
    warnings.warn(" ".join(text.split()), stacklevel=3)
