"""Entry points: commands, dataset readers, detectors and trunks all come in by this one door."""

import warnings
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from facedis.errors import ConfigError

COMMANDS = "facedis.commands"
DATASETS = "facedis.datasets"
DETECTORS = "facedis.detectors"
TRUNKS = "facedis.trunks"


def discover(group: str) -> dict[str, EntryPoint]:
    """All entry points of `group` by name; on a name clash the built-in one wins, with a warning."""
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=group):
        rival = found.get(point.name)
        if rival is None or (_is_built_in(point) and not _is_built_in(rival)):
            found[point.name] = point
        if rival is not None and rival.value != point.value:
            loser = rival if found[point.name] is point else point
            _warn(f"{group} '{point.name}' of {_origin(loser)} is ignored: the name is taken")
    return dict(sorted(found.items()))


def load(point: EntryPoint) -> Any | None:
    """What `point` names, or None with a one-line warning where it cannot be imported."""
    try:
        return point.load()
    except Exception as error:  # a stranger's module may raise anything; facedis must go on
        _warn(f"plugin '{point.name}' of {_origin(point)} does not load: {type(error).__name__}: {error}")
        return None


def load_by_name(group: str, name: str) -> Any:
    """The plugin `name` of `group`, loaded.

    Raises:
        ConfigError: There is none of that name, or it does not load.
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
