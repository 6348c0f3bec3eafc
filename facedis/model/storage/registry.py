"""Which model answers: one that is named, else the newest run, else the one inside the package."""

import re
from pathlib import Path

from facedis import pretrained
from facedis.errors import RunError
from facedis.model.storage.checkpoint import MODEL, RUN, Run, load_run, newest_run
from facedis.model.storage.hub import PREFIX, fetch_model
from facedis.model.storage.packed import is_packed, load_packed

_HOW = "name a run folder, a packed model, hf:OWNER/NAME or one of `facedis models list`"


def load_model(which: str | Path | None = None) -> Run:
    """The model that `which` names, ready to use.

    Args:
        which: The name of a model inside the package, the folder of a packed model or of a run, a
            file in such a folder, or hf:OWNER/NAME, with @REVISION where it matters. None: the newest run in
            ./runs, else the bundled model.

    Raises:
        RunError: There is no such model, or it is broken.
        MissingExtra: It lies on a hub and the extra `hub` is not installed.
        InputError: The hub does not have it or does not answer.
    """
    if which is None:
        which = _default()
    path = model_folder(which)
    own_name = isinstance(which, str) and (which.startswith(PREFIX) or which in pretrained.list_names())
    return load_packed(path, str(which) if own_name else None) if is_packed(path) else load_run(path)


def model_folder(which: str | Path) -> Path:
    """The folder of the model that `which` names, a run's or a packed model's.

    Raises:
        RunError, MissingExtra, InputError: As `load_model`; whether the folder holds a model is not asked.
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
            "there is no trained run in runs/ and no model is bundled",
            "train one with `facedis train`, or name one with --model",
        )
    return newest or pretrained.DEFAULT


def _unknown(which: str) -> tuple[str, str]:
    """What is wrong and what to do where nothing is called `which`."""
    if which == pretrained.DEFAULT:
        return "no model is bundled in this facedis", f"train one with `facedis train`, or {_HOW}"
    if re.fullmatch(r"[\w-]+/[\w.-]+", which):
        return f"there is no run folder {which} and no such packed model", f"{_HOW}; on a hub it is {PREFIX}{which}"
    return f"there is no run folder {which} and no model of that name", _HOW
