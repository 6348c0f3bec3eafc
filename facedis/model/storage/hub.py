"""Download and upload of packed models with huggingface_hub.

huggingface_hub is an optional dependency. Its environment variables apply: HF_ENDPOINT, HF_TOKEN, HF_HOME.
FACEDIS_OFFLINE=1 allows only models in its cache.
"""

import os
import re
from pathlib import Path
from typing import Any

from facedis.errors import InputError, MissingExtra, RunError
from facedis.model.storage.checkpoint import MODEL
from facedis.model.storage.packed import CARD, MANIFEST, check_files, read_packed_info
from facedis.pretrained import METADATA

PREFIX = "hf:"
#: File that the hub shows as the page of a model.
PAGE = "README.md"
_NAME = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")


def fetch_model(which: str) -> Path:
    """The folder of the packed model hf:OWNER/NAME or hf:OWNER/NAME@REVISION, downloaded if needed.

    Raises:
        InputError: `which` has another form, or the download fails.
        RunError: The model is incomplete.
        MissingExtra: huggingface_hub is not installed.
    """
    found = _NAME.fullmatch(which.removeprefix(PREFIX))
    if found is None:
        raise InputError(f"'{which}' is not the name of a model on a hub", f"write it as {PREFIX}OWNER/NAME")
    hub = _import_hub("A model on a hub")
    offline = os.environ.get("FACEDIS_OFFLINE", "") not in ("", "0")
    try:
        place = hub.snapshot_download(found["repo"], revision=found["revision"], local_files_only=offline)
    except Exception as error:  # its own errors, those of its HTTP library, and OSError
        reason = "in the cache, and downloading is off" if offline else f"on the hub: {_short(error)}"
        raise InputError(
            f"{which} is not {reason}", "check the name and the network, or name a local packed model"
        ) from error
    folder = Path(place)
    if not (folder / METADATA).is_file():
        raise RunError(f"{which} is not a model of facedis: it has no {METADATA}", "name another one")
    refuse_incomplete(folder, which)
    return folder


def push_model(folder: Path, repo: str, private: bool = False) -> str:
    """Upload the packed model in `folder` to the hub as `repo`, in one commit.

    Args:
        folder: Of the packed model.
        repo: OWNER/NAME.
        private: Whether to create a private repository.

    Returns:
        The URL of the commit.

    Raises:
        RunError: The folder is incomplete.
        InputError: `repo` has another form, or the upload fails.
        MissingExtra: huggingface_hub is not installed.
    """
    if _NAME.fullmatch(repo) is None or "@" in repo:
        raise InputError(f"'{repo}' is not the name of a repository", "write it as OWNER/NAME")
    files = upload_files(folder)
    hub = _import_hub("Pushing a model")
    api = hub.HfApi()
    added = [hub.CommitOperationAdd(path_in_repo=name, path_or_fileobj=content) for name, content in files.items()]
    try:
        api.create_repo(repo, private=private, exist_ok=True)
        done = api.create_commit(repo, added, commit_message=f"Add {read_packed_info(folder)['name']}")
    except Exception as error:  # as above
        raise InputError(f"{repo} cannot be uploaded: {_short(error)}", "check the name and HF_TOKEN") from error
    return str(done.commit_url)


def upload_files(folder: Path) -> dict[str, bytes | str]:
    """The files of a packed model for the hub: content or path by name.

    The model card is also uploaded as README.md, with the metadata header of the hub.

    Raises:
        RunError: The folder is incomplete.
    """
    refuse_incomplete(folder, str(folder))
    info = read_packed_info(folder)
    names = [*(found.file for found in check_files(folder)), MANIFEST]
    header = "\n".join(
        ["---", "license: mit", "library_name: facedis", "pipeline_tag: image-classification", "tags:"]
        + [f"- {tag}" for tag in ("facial-expression-recognition", "disentanglement", str(info["model"]["trunk"]))]
        + ["---", "", ""]
    )
    page = header + (folder / CARD).read_text(encoding="utf-8")
    return {name: str(folder / name) for name in names} | {PAGE: page.encode("utf-8")}


def refuse_incomplete(folder: Path, display_name: str) -> None:
    """Check a packed model for missing and damaged files.

    Args:
        folder: Of the packed model.
        display_name: Name of the model in the message.

    Raises:
        RunError: A file is missing or damaged.
    """
    known = check_files(folder)
    bad = next((found for found in known if found.problem), None)
    if bad is not None:
        raise RunError(f"{display_name} is damaged: {bad.file} {bad.problem}", "pack it again, or download it again")
    missing = {METADATA, MODEL, CARD} - {found.file for found in known}
    if missing:
        raise RunError(f"{display_name} is incomplete: it has no {', '.join(sorted(missing))}", "pack it again")


def _import_hub(what: str) -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingExtra(what, "hub") from error
    return huggingface_hub


def _short(error: Exception) -> str:
    """The first line of an error message."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
