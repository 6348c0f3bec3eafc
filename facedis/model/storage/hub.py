"""Packed models on a hub: fetched once into the cache of huggingface_hub, and pushed.

The package is an extra. Where the hub is (HF_ENDPOINT), who one is (HF_TOKEN) and where its cache lies
(HF_HOME) is its own affair; FACEDIS_OFFLINE=1 keeps it from the network.
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
#: What a hub shows as the page of a model.
PAGE = "README.md"
_NAME = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")


def fetch_model(which: str) -> Path:
    """The folder of the packed model hf:OWNER/NAME or hf:OWNER/NAME@REVISION, fetched where it is not here yet.

    Raises:
        InputError: It has no such form, the hub does not have it, or does not answer.
        RunError: What came is not whole.
        MissingExtra: huggingface_hub is not installed.
    """
    found = _NAME.fullmatch(which.removeprefix(PREFIX))
    if found is None:
        raise InputError(f"'{which}' names no model on a hub", f"write it as {PREFIX}OWNER/NAME")
    hub = _package("A model on a hub")
    offline = os.environ.get("FACEDIS_OFFLINE", "") not in ("", "0")
    try:
        place = hub.snapshot_download(found["repo"], revision=found["revision"], local_files_only=offline)
    except Exception as error:  # it raises errors of its own, of the web library below it, and OSError
        kept = "in the cache, and downloading is off" if offline else f"on the hub: {_short(error)}"
        raise InputError(
            f"{which} is not {kept}", "check the name and the network, or name a packed model on this machine"
        ) from error
    folder = Path(place)
    if not (folder / METADATA).is_file():
        raise RunError(f"{which} is no model of facedis: it has no {METADATA}", "name another one")
    refuse_incomplete(folder, which)
    return folder


def push_model(folder: Path, repo: str, private: bool = False) -> str:
    """Put the packed model in `folder` on the hub as `repo`, in one commit.

    Returns:
        The address of the commit.

    Raises:
        RunError: The folder is not whole.
        InputError: `repo` has no such form, or the hub refuses.
        MissingExtra: huggingface_hub is not installed.
    """
    if _NAME.fullmatch(repo) is None or "@" in repo:
        raise InputError(f"'{repo}' names no place on a hub", "write it as OWNER/NAME")
    files = upload(folder)
    hub = _package("Pushing a model")
    api = hub.HfApi()
    added = [hub.CommitOperationAdd(path_in_repo=name, path_or_fileobj=content) for name, content in files.items()]
    try:
        api.create_repo(repo, private=private, exist_ok=True)
        done = api.create_commit(repo, added, commit_message=f"Add {read_packed_info(folder)['name']}")
    except Exception as error:  # as above
        raise InputError(f"{repo} cannot be pushed: {_short(error)}", "check the name and HF_TOKEN") from error
    return str(done.commit_url)


def upload(folder: Path) -> dict[str, bytes | str]:
    """What is pushed of a packed model: the content or the path of each file, by its name there.

    The card goes up once more as the model's page, with the header that hubs read.

    Raises:
        RunError: The folder is not whole.
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
    """Stop at a file that is not the one that was packed.

    Raises:
        RunError: There is such a file, or no model.
    """
    known = check_files(folder)
    bad = next((found for found in known if found.problem), None)
    if bad is not None:
        raise RunError(f"{display_name} is damaged: {bad.file} {bad.problem}", "pack it again, or fetch it anew")
    lacking = {METADATA, MODEL, CARD} - {found.file for found in known}
    if lacking:
        raise RunError(f"{display_name} is not complete: {', '.join(sorted(lacking))} is not there", "pack it again")


def _package(what: str) -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingExtra(what, "hub") from error
    return huggingface_hub


def _short(error: Exception) -> str:
    """The first line of what went wrong; the rest is advice about other programs."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
