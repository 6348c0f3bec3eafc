"""Metadata and results of a model without paths of the machine that trained it, for packed models and cards."""

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

#: Keys of the training record that a card shows.
_TRAINING = ("dataset", "n", "epochs", "kept", "seconds", "rate", "final", "created")
#: Kinds of records that a card has tables for.
KINDS = ("evaluation", "swap_eval")


def portable_info(run: Path) -> dict[str, Any]:
    """run.json of a run folder without absolute paths, with its training record and the run its trunk comes from.

    Raises:
        RunError: The folder is not a run folder.
    """
    if is_packed(run):
        return read_packed_info(run)
    info = read_info(run)
    source = pretrained.model_dir(info["model"]["weights"]) or Path(info["model"]["weights"])
    has_source = source.is_dir() and (is_packed(source) or (source / "run.json").is_file())
    return info | {
        "command": portable_command(info.get("command", "")),
        "model": info["model"] | {"weights": _last(info["model"]["weights"])},
        "faces": info["faces"] | {"path": _last(info["faces"]["path"])},
        "training": _training(run),
        "tensors": sha256(run / MODEL) if (run / MODEL).is_file() else None,
        "began_with": portable_info(source) if has_source else None,
    }


def describe_model(run: Run, results: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The content of a model card: `name`, `info`, `results`, number of `parameters`, and the sizes of the `codes`."""
    return {
        "name": run.info.get("name", Path(run.display_name).name),
        "info": portable_info(run.path),
        "results": list(results),
        "parameters": sum(value.numel() for value in run.model.parameters()),
        "codes": {"expression": run.config.expression_dim}
        | {branch: run.config.rest_dim for branch in run.config.branches[1:]},
    }


def collect_results(run: Run, files: Iterable[Path] = ()) -> list[dict[str, Any]]:
    """The result records of a model without absolute paths: those in its folder, then those of `files`.

    Raises:
        InputError: A file is not an evaluation, or one of another model.
    """
    if run.packed:
        return read_results(run.path)
    in_folder = sorted([*run.path.glob("eval-*/result.json"), *run.path.glob("swap-eval-*/result.json")])
    paths = list(dict.fromkeys(path.resolve() for path in (*in_folder, *files)))
    return [_portable_result(_read_result(path, run)) for path in paths]


def read_results(folder: Path) -> list[dict[str, Any]]:
    """The result records of a packed model.

    Raises:
        RunError: They cannot be read.
    """
    try:
        return json.loads((folder / RESULTS).read_text(encoding="utf-8"))["results"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{folder / RESULTS} cannot be read: {error}", "pack the run again") from error


def portable_command(command: str) -> str:
    """A command line with every absolute path cut to its last part."""
    try:
        words = shlex.split(command)
    except ValueError:  # an unterminated quotation
        return ""
    words = [_last(word) if _absolute(word) else word for word in words]
    if words and _last(words[0]) == "__main__.py":  # of `python -m facedis`
        words[0] = "facedis"
    return shlex.join(words)


def _read_result(path: Path, run: Run) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        kind = record["kind"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not a result record: {error}", "name a result.json of `facedis eval`") from error
    if kind not in KINDS:
        raise InputError(f"{path} is a record of kind '{kind}'", "name a result.json of `facedis eval` or `swap-eval`")
    same = record.get("fingerprint", run.fingerprint) == run.fingerprint
    if not same or tuple(record["classes"]) != run.classes or _last(record["model"]) != run.path.resolve().name:
        raise InputError(f"{path} is a result of {record['model']}, not of {run.display_name}", "leave it out")
    return record


def _portable_result(record: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in record.items() if key not in ("output", "page", "sheet", "fingerprint")}
    texts = {key: _without_paths(record[key]) for key in ("notes", "judges") if key in record}
    names = {"model": _last(record["model"]), "faces": _last(record["faces"])}
    return kept | texts | names | {"command": portable_command(record.get("command", ""))}


def _without_paths(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_paths(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_paths(item) for item in value]
    return re.sub(r"(?<![\w.])/[^\s,;:]+", lambda match: _last(match[0]), value) if isinstance(value, str) else value


def _training(run: Path) -> dict[str, Any] | None:
    path = run / "result.json"
    if not path.is_file():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    return {key: record.get(key) for key in _TRAINING}


def _absolute(word: str) -> bool:
    return word.startswith(("/", "~")) or PureWindowsPath(word).is_absolute()


def _last(word: str) -> str:
    """The last part of a path; any other word unchanged."""
    return PureWindowsPath(word).name or word
