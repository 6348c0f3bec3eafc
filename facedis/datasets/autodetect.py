"""Which reader a folder is for: the one the user names, or the one that knows its layout best."""

import inspect
from pathlib import Path

from facedis import plugins
from facedis.datasets.formats.walk import iter_images
from facedis.datasets.record import Reader
from facedis.errors import ConfigError, InputError


def create_reader(root: Path, wish: str = "auto") -> Reader:
    """The reader that `wish` names on `root`, or with "auto" the one that is surest to know its layout.

    Args:
        root: The dataset's folder.
        wish: A reader's name or "auto", with the reader's own options behind a colon where wanted:
            "ckplus:classes=8,frames=1".

    Raises:
        InputError: `root` is not a folder that can be read, holds no image, or no reader knows its layout.
        ConfigError: There is no such reader or it has no such option, or several are equally sure.
    """
    _check_folder(root)
    name, _, options = wish.partition(":")
    kind = _surest(root) if name == "auto" else plugins.load_by_name(plugins.DATASETS, name)
    return kind(root, **_options(kind, options))


def _surest(root: Path) -> type[Reader]:
    sure: dict[str, int] = {}
    readers = {}
    for label, point in plugins.discover(plugins.DATASETS).items():
        reader = plugins.load(point)
        if reader is not None:
            readers[label], sure[label] = reader, reader.match_score(root)
    best = [label for label, value in sure.items() if value and value == max(sure.values())]
    if not best:
        raise _not_recognised(root)
    if len(best) > 1:
        raise ConfigError(f"{root} can be read as {' and as '.join(best)}", f"say which: --dataset {best[0]}")
    return readers[best[0]]


def _options(kind: type[Reader], text: str) -> dict[str, str | int]:
    """The options of "key=value,key=value", each of the type of its default."""
    known = {name: each.default for name, each in inspect.signature(kind).parameters.items() if name != "root"}
    options: dict[str, str | int] = {}
    for part in filter(None, text.split(",")):
        key, _, value = (word.strip() for word in part.partition("="))
        if key not in known:
            has = f"its options are {', '.join(known)}" if known else "it has none"
            raise ConfigError(f"the reader {kind.name} has no option '{key}'", has)
        if isinstance(known[key], int) and not value.lstrip("-").isdecimal():
            raise ConfigError(f"{key} of the reader {kind.name} is '{value}'", "give a whole number")
        options[key] = int(value) if isinstance(known[key], int) else value
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


def _not_recognised(root: Path) -> InputError:
    image = next(iter_images(root), None)
    if image is None:
        return InputError(f"{root} holds no image", "name a folder of photographs")
    return InputError(
        f"no reader knows the layout of {root}: no folder on the way to {image} is named after an expression",
        "sort the images into folders like happiness/ and anger/, or write a labels.csv with image,expression",
    )
