"""What is known of a model, gathered from its folder: what a card says, made portable.

No path of the machine that trained it, and no user's name, goes into a packed model.
"""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path, PureWindowsPath
from typing import Any

from facedis import pretrained
from facedis.errors import InputError, RunError
from facedis.model.storage.checkpoint import MODEL, Run, read_info, sha256
from facedis.model.storage.packed import RESULTS, is_packed, read_packed_info

#: Of a training's record.
_TRAINING = ("dataset", "n", "epochs", "kept", "seconds", "rate", "final", "created")
#: Kinds of records that a card has tables of.
KINDS = ("evaluation", "swap_eval")


def portable_info(run: Path) -> dict[str, Any]:
    """run.json of the folder `run` without machine paths, with its training, and with the run that gave its trunk.

    Raises:
        RunError: It is no run folder.
    """
    if is_packed(run):
        return read_packed_info(run)
    info = read_info(run)
    giver = pretrained.model_dir(info["model"]["weights"]) or Path(info["model"]["weights"])
    given = giver.is_dir() and (is_packed(giver) or (giver / "run.json").is_file())
    return info | {
        "command": portable_command(info.get("command", "")),
        "model": info["model"] | {"weights": _last(info["model"]["weights"])},
        "faces": info["faces"] | {"path": _last(info["faces"]["path"])},
        "training": _training(run),
        "tensors": sha256(run / MODEL) if (run / MODEL).is_file() else None,
        "began_with": portable_info(giver) if given else None,
    }


def describe_model(run: Run, results: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """All that a card says: `info` of the model, its `results`, its `parameters`, the `codes` and their lengths."""
    return {
        "name": run.info.get("name", Path(run.display_name).name),
        "info": portable_info(run.path),
        "results": list(results),
        "parameters": sum(value.numel() for value in run.model.parameters()),
        "codes": {"expression": run.config.expression_size}
        | {branch: run.config.rest_size for branch in run.config.branches[1:]},
    }


def collect_results(run: Run, files: Iterable[Path] = ()) -> list[dict[str, Any]]:
    """The records of a model, portable: those beside it, then those of `files`.

    Raises:
        InputError: A file is no evaluation, or one of another model.
    """
    if run.packed:
        return read_results(run.path)
    beside = sorted([*run.path.glob("eval-*/result.json"), *run.path.glob("swap-eval-*/result.json")])
    paths = list(dict.fromkeys(path.resolve() for path in (*beside, *files)))
    return [_portable_result(_read_result(path, run)) for path in paths]


def read_results(folder: Path) -> list[dict[str, Any]]:
    """The records that lie in a packed model.

    Raises:
        RunError: They cannot be read.
    """
    try:
        return json.loads((folder / RESULTS).read_text(encoding="utf-8"))["results"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{folder / RESULTS} cannot be read: {error}", "pack the run again") from error


def portable_command(command: str) -> str:
    """A command line with the last part of every absolute path in it."""
    try:
        words = shlex.split(command)
    except ValueError:  # cut off in the middle of a quotation
        return ""
    words = [_last(word) if _absolute(word) else word for word in words]
    if words and _last(words[0]) == "__main__.py":  # of `python -m facedis`
        words[0] = "facedis"
    return shlex.join(words)


def _read_result(path: Path, run: Run) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        kind = found["kind"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no result record: {error}", "name a result.json of `facedis eval`") from error
    if kind not in KINDS:
        raise InputError(f"{path} is a record of kind '{kind}'", "name a result.json of `facedis eval` or `swap-eval`")
    same = found.get("fingerprint", run.fingerprint) == run.fingerprint
    if not same or tuple(found["classes"]) != run.classes or _last(found["model"]) != run.path.resolve().name:
        raise InputError(f"{path} is a result of {found['model']}, not of {run.display_name}", "leave it out")
    return found


def _portable_result(found: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in found.items() if key not in ("output", "page", "sheet", "fingerprint")}
    said = {key: _without_paths(found[key]) for key in ("notes", "judges") if key in found}
    names = {"model": _last(found["model"]), "faces": _last(found["faces"])}
    return kept | said | names | {"command": portable_command(found.get("command", ""))}


def _without_paths(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_paths(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_paths(item) for item in value]
    return re.sub(r"(?<![\w.])/[^\s,;:]+", lambda found: _last(found[0]), value) if isinstance(value, str) else value


def _training(run: Path) -> dict[str, Any] | None:
    path = run / "result.json"
    if not path.is_file():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return {key: found.get(key) for key in _TRAINING}


def _absolute(word: str) -> bool:
    return word.startswith(("/", "~")) or PureWindowsPath(word).is_absolute()


def _last(word: str) -> str:
    """The last part of a path; a word that is no path stays as it is."""
    return PureWindowsPath(word).name or word
