"""Lookup of models by name: bundled models, run folders, packed models, and models on a hub."""

import re
from pathlib import Path

from facedis import pretrained
from facedis.errors import RunError
from facedis.model.storage.checkpoint import MODEL, RUN, Run, load_run, newest_run
from facedis.model.storage.hub import PREFIX, fetch_model
from facedis.model.storage.packed import is_packed, load_packed

_HOW = "name a run folder, a packed model, hf:OWNER/NAME or one of `facedis models list`"


def load_model(which: str | Path | None = None) -> Run:
    """Load a model.

    Args:
        which: The name of a bundled model, the folder of a run or of a packed model, a file in such a folder,
            or hf:OWNER/NAME, optionally with @REVISION. None: the newest run in ./runs, else the bundled model.

    Raises:
        RunError: There is no such model, or it is broken.
        MissingExtra: The model is on a hub, and the extra `hub` is not installed.
        InputError: The download from the hub fails.
    """
    if which is None:
        which = _default()
    path = model_folder(which)
    own_name = isinstance(which, str) and (which.startswith(PREFIX) or which in pretrained.list_names())
    return load_packed(path, str(which) if own_name else None) if is_packed(path) else load_run(path)


def model_folder(which: str | Path) -> Path:
    """The folder of a model; `which` is as for `load_model`.

    Raises:
        RunError, MissingExtra, InputError: As `load_model`. The content of the folder is not checked.
    """
    if isinstance(which, str) and which.startswith(PREFIX):
        return fetch_model(which)
    inside = pretrained.model_dir(which) if isinstance(which, str) else None
    if inside is not None:
        return inside
    path = Path(which)
    if path.is_file() and path.name in (MODEL, RUN, pretrained.METADATA):
        path = path.parent
    if not path.exists():
        raise RunError(*_unknown(str(which)))
    return path


def _default() -> str | Path:
    newest = newest_run()
    if newest is None and pretrained.model_dir(pretrained.DEFAULT) is None:
        raise RunError(
            "there is no trained run in runs/ and no bundled model",
            "train one with `facedis train`, or name one with --model",
        )
    return newest or pretrained.DEFAULT


def _unknown(which: str) -> tuple[str, str]:
    """Message and hint for a model that does not exist."""
    if which == pretrained.DEFAULT:
        return "this installation of facedis has no bundled model", f"train one with `facedis train`, or {_HOW}"
    if re.fullmatch(r"[\w-]+/[\w.-]+", which):
        return (
            f"there is no run folder {which} and no such packed model",
            f"{_HOW}; for a model on a hub, write {PREFIX}{which}",
        )
    return f"there is no run folder {which} and no model of that name", _HOW
