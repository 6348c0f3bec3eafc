"""Choice of the dataset reader: by name, or by the layout of the folder."""

import inspect
from pathlib import Path

from facedis import plugins
from facedis.datasets.formats.walk import iter_images
from facedis.datasets.record import Reader
from facedis.errors import ConfigError, InputError


def create_reader(root: Path, spec: str = "auto") -> Reader:
    """Create the reader for a dataset folder.

    Args:
        root: The dataset's folder.
        spec: Name of a reader, or "auto" for the reader whose layout matches best. Options of the
            reader follow after a colon: "ckplus:classes=8,frames=1".

    Raises:
        InputError: `root` is not a readable folder, contains no image, or has an unknown layout.
        ConfigError: The reader or an option is unknown, or several readers match equally well.
    """
    _check_folder(root)
    name, _, options = spec.partition(":")
    reader = _best_match(root) if name == "auto" else plugins.load_by_name(plugins.DATASETS, name)
    return reader(root, **_parse_options(reader, options))


def _best_match(root: Path) -> type[Reader]:
    points = plugins.discover(plugins.DATASETS).items()
    readers = {name: reader for name, point in points if (reader := plugins.load(point)) is not None}
    scores = {name: reader.match_score(root) for name, reader in readers.items()}
    best = [name for name, score in scores.items() if score and score == max(scores.values())]
    if not best:
        raise _unknown_layout(root)
    if len(best) > 1:
        raise ConfigError(f"{root} can be read as {' and as '.join(best)}", f"choose one: --dataset {best[0]}")
    return readers[best[0]]


def _parse_options(reader: type[Reader], text: str) -> dict[str, str | int]:
    """Parse "key=value,key=value"; each value gets the type of the parameter's default."""
    parameters = inspect.signature(reader).parameters.items()
    defaults = {name: parameter.default for name, parameter in parameters if name != "root"}
    options: dict[str, str | int] = {}
    for part in filter(None, text.split(",")):
        key, _, value = (word.strip() for word in part.partition("="))
        if key not in defaults:
            has = f"its options are {', '.join(defaults)}" if defaults else "it has none"
            raise ConfigError(f"the reader {reader.name} has no option '{key}'", has)
        if isinstance(defaults[key], int) and not value.lstrip("-").isdecimal():
            raise ConfigError(f"{key} of the reader {reader.name} is '{value}'", "give an integer")
        options[key] = int(value) if isinstance(defaults[key], int) else value
    return options


def _check_folder(root: Path) -> None:
    if not root.exists():
        raise InputError(f"there is no folder {root}", "name a folder of photographs")
    if not root.is_dir():
        raise InputError(f"{root} is not a folder", "name the folder that holds the photographs")
    try:
        next(root.iterdir(), None)
    except OSError as error:
        raise InputError(f"cannot read {root}: {error.strerror}", "name a folder that you may read") from error


def _unknown_layout(root: Path) -> InputError:
    image = next(iter_images(root), None)
    if image is None:
        return InputError(f"{root} holds no image", "name a folder of photographs")
    return InputError(
        f"the layout of {root} is unknown: no folder above {image} is named after an expression",
        "sort the images into folders like happiness/ and anger/, or write a labels.csv with image,expression",
    )
