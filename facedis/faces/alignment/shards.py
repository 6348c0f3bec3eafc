"""Shards of a cache, made by several processes or machines and joined without copying pixels."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from facedis.atomic_io import atomic_write
from facedis.errors import CacheError, ConfigError
from facedis.faces.alignment.plan import AlignPlan
from facedis.faces.cache.cache_format import read_info, refuse_pending
from facedis.faces.cache.hdf5 import create_hdf5
from facedis.faces.cache.pixel_storage import storage_format

#: Shards start at multiples of this, so that they form the same batches as an unsharded alignment.
_ROW_STEP = 64


class Shard(NamedTuple):
    """Part `number` (from 1) of `total` parts."""

    number: int
    total: int

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"


def parse_shard(text: str, environment: Mapping[str, str] = os.environ) -> Shard:
    """Parse a shard such as "2/4"; "auto" is the shard of this process under torchrun.

    Raises:
        ConfigError: The text is neither, or "auto" without the variables of torchrun.
    """
    if text == "auto":
        if "RANK" not in environment or "WORLD_SIZE" not in environment:
            raise ConfigError(
                "--shard auto needs the variables RANK and WORLD_SIZE", "start with torchrun, or write --shard 1/4"
            )
        text = f"{int(environment['RANK']) + 1}/{environment['WORLD_SIZE']}"
    number, _, of = text.partition("/")
    if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise ConfigError(f"'{text}' is not a shard", "write for example --shard 1/4")
    return Shard(int(number), int(of))


def shard_path(output: Path, shard: Shard) -> Path:
    """Return the file of a shard: faces.2-of-4.h5 for faces.h5."""
    return output.with_name(f"{output.stem}.{shard.number}-of-{shard.total}{output.suffix}")


def shard_plan(plan: AlignPlan, shard: Shard) -> AlignPlan:
    """Return the part of `plan` in `shard`: consecutive rows, about the same number in each shard.

    Raises:
        ConfigError: There are too few rows.
    """
    first, last = (
        len(plan.records) * k // shard.total // _ROW_STEP * _ROW_STEP for k in (shard.number - 1, shard.number)
    )
    last = len(plan.records) if shard.number == shard.total else last
    if first >= last:
        raise ConfigError(f"{len(plan.records):,} images are too few for {shard.total} shards", "use fewer")
    info = replace(plan.info, fingerprint=f"{plan.info.fingerprint}:{shard}")
    return replace(plan, records=plan.records[first:last], splits=plan.splits[first:last], info=info)


def join_if_complete(output: Path, total: int, fingerprint: str) -> bool:
    """Join the shards of `output` if all of them are complete; return whether they are.

    Raises:
        CacheError: A shard is damaged.
        OutputError: `output` cannot be written.
    """
    paths = [shard_path(output, Shard(number, total)) for number in range(1, total + 1)]
    for number, path in enumerate(paths, 1):
        if not path.exists() or read_info(path).fingerprint != f"{fingerprint}:{Shard(number, total)}":
            return False
        refuse_pending(path)
    join_shards(output, paths, fingerprint)
    return True


def join_shards(output: Path, paths: list[Path], fingerprint: str) -> None:
    """Write `output` with the columns of the shards at `paths` and references to their pixels.

    Raises:
        CacheError: A shard is not a raw faces cache.
        OutputError: `output` cannot be written.
    """
    for path in paths:
        read_info(path)
    with ExitStack() as opened, atomic_write(output) as temporary, create_hdf5(temporary) as target:
        _write_joined(target, [opened.enter_context(h5py.File(path, "r")) for path in paths], paths, fingerprint)


def _write_joined(target: h5py.File, files: list[h5py.File], paths: list[Path], fingerprint: str) -> None:
    if any(storage_format(file) != "raw" for file in files):
        raise CacheError("only raw shards can be joined", "join them first and pack the joined cache")
    for name, value in files[0].attrs.items():
        target.attrs[name] = value
    target.attrs["fingerprint"] = fingerprint
    for name in files[0]:
        if name != "face":
            column = np.concatenate([file[name][:] for file in files])
            made = target.create_dataset(name, data=column, dtype=files[0][name].dtype)
            made.attrs.update(files[0][name].attrs)
    sizes = [len(file["face"]) for file in files]
    layout = h5py.VirtualLayout((sum(sizes), *files[0]["face"].shape[1:]), np.uint8)
    for first, size, file, path in zip(np.cumsum([0, *sizes]), sizes, files, paths, strict=False):
        # By name only, so that the files can be moved together.
        layout[first : first + size] = h5py.VirtualSource(path.name, "face", file["face"].shape)
    target.create_virtual_dataset("face", layout)
