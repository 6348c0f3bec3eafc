"""Find and load models by name: bundled models, run folders, packed models and models on a hub."""

import re
from pathlib import Path

from facedis import pretrained
from facedis.errors import RunError
from facedis.events import EventHandler, ignore_events, note
from facedis.model.storage.checkpoint import MODEL, RUN, Run, load_run, newest_run
from facedis.model.storage.hub import PREFIX, fetch_model
from facedis.model.storage.packed import is_packed, load_packed

_HINT = "name a run folder, a packed model, hf:OWNER/NAME or one of `facedis models list`"


def load_model(name: str | Path | None = None) -> Run:
    """Load a model.

    Args:
        name: The name of a bundled model, the folder of a run or of a packed model, a file in such a folder, or
            hf:OWNER/NAME with an optional @REVISION. None: the bundled model.

    Raises:
        RunError: There is no such model, or it is broken.
        MissingExtra: The model is on a hub and the extra `hub` is not installed.
        InputError: The hub does not have it or does not answer.
    """
    name = pretrained.DEFAULT if name is None else name
    path = model_folder(name)
    has_name = isinstance(name, str) and (name.startswith(PREFIX) or name in pretrained.list_names())
    return load_packed(path, str(name) if has_name else None) if is_packed(path) else load_run(path)


def load_model_or_newest(name: str | None = None, handler: EventHandler = ignore_events) -> Run:
    """Load a model for a command: if `name` is None, the newest run in ./runs, else the bundled model.

    Args:
        name: As in `load_model`.
        handler: Receives a note if the newest run is used.

    Raises:
        RunError, MissingExtra, InputError: As in `load_model`.
    """
    newest = newest_run() if name is None else None
    if newest is None:
        if name is None and pretrained.model_dir(pretrained.DEFAULT) is None:
            raise RunError(
                "there is no trained run in runs/ and no model is bundled",
                "train one with `facedis train`, or name one with --model",
            )
        return load_model(name)
    run = load_model(newest)
    note(handler, f"model: runs/{newest.name} (newest run; --model {pretrained.DEFAULT} for the bundled model)")
    return run


def model_folder(name: str | Path) -> Path:
    """The folder of a run or of a packed model.

    Args:
        name: As in `load_model`.

    Raises:
        RunError, MissingExtra, InputError: As in `load_model`; the content of the folder is not checked.
    """
    if isinstance(name, str) and name.startswith(PREFIX):
        return fetch_model(name)
    bundled = pretrained.model_dir(name) if isinstance(name, str) else None
    if bundled is not None:
        return bundled
    path = Path(name)
    if path.is_file() and path.name in (MODEL, RUN, pretrained.METADATA):
        path = path.parent
    if not path.exists():
        raise RunError(*_unknown(str(name)))
    return path


def _unknown(name: str) -> tuple[str, str]:
    """Message and hint for a model that does not exist."""
    if name == pretrained.DEFAULT:
        return "no model is bundled in this installation", f"train one with `facedis train`, or {_HINT}"
    if re.fullmatch(r"[\w-]+/[\w.-]+", name):
        return f"there is no run folder {name} and no such packed model", f"{_HINT}; on a hub it is {PREFIX}{name}"
    return f"there is no run folder {name} and no model of that name", _HINT
