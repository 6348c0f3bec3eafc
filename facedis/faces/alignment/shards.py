"""A cache made in parts by several processes or machines, and the parts joined without copying pixels."""

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
from facedis.faces.cache.cache import read_info
from facedis.faces.cache.hdf5 import create_hdf5
from facedis.faces.cache.pixel_storage import storage_format

#: Shards begin at multiples of this, so that they form the same batches as a whole alignment.
_ROW_STEP = 64


class Shard(NamedTuple):
    """Part `number` (from 1) of `count` parts."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def parse_shard(text: str, environment: Mapping[str, str] = os.environ) -> Shard:
    """The shard of "2/4", or with "auto" the one of this process under torchrun.

    Raises:
        ConfigError: It is neither, or "auto" without torchrun's variables.
    """
    if text == "auto":
        if "RANK" not in environment or "WORLD_SIZE" not in environment:
            raise ConfigError("--shard auto finds no RANK and WORLD_SIZE", "start with torchrun, or write --shard 1/4")
        text = f"{int(environment['RANK']) + 1}/{environment['WORLD_SIZE']}"
    number, _, of = text.partition("/")
    if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise ConfigError(f"'{text}' is no shard", "write for example --shard 1/4")
    return Shard(int(number), int(of))


def shard_path(output: Path, shard: Shard) -> Path:
    """The file of `shard`: faces.2-of-4.h5 for faces.h5."""
    return output.with_name(f"{output.stem}.{shard.number}-of-{shard.count}{output.suffix}")


def shard_plan(plan: AlignPlan, shard: Shard) -> AlignPlan:
    """The rows of `plan` that `shard` does: neighbours, about the same number in each shard.

    Raises:
        ConfigError: There are too few rows to share.
    """
    first, last = (
        len(plan.records) * k // shard.count // _ROW_STEP * _ROW_STEP for k in (shard.number - 1, shard.number)
    )
    last = len(plan.records) if shard.number == shard.count else last
    if first >= last:
        raise ConfigError(f"{len(plan.records):,} images are too few for {shard.count} shards", "use fewer")
    info = replace(plan.info, fingerprint=f"{plan.info.fingerprint}:{shard}")
    return replace(plan, records=plan.records[first:last], splits=plan.splits[first:last], info=info)


def join_if_complete(output: Path, of: int, fingerprint: str) -> bool:
    """Join the shards of `output` where all of them are finished; True if so.

    Whoever finishes last joins; two who finish at once write the same file, each one whole.
    """
    places = [shard_path(output, Shard(number, of)) for number in range(1, of + 1)]
    for number, place in enumerate(places, 1):
        if not place.exists() or read_info(place).fingerprint != f"{fingerprint}:{Shard(number, of)}":
            return False
    join_shards(output, places, fingerprint)
    return True


def join_shards(output: Path, places: list[Path], fingerprint: str) -> None:
    """Write `output` with the columns of the shards at `places` and, for the pixels, pointers to them.

    Raises:
        CacheError: A shard is no raw faces cache.
        OutputError: `output` cannot be written.
    """
    for place in places:
        read_info(place)
    with ExitStack() as opened, atomic_write(output) as temporary, create_hdf5(temporary) as target:
        _write_joined(target, [opened.enter_context(h5py.File(place, "r")) for place in places], places, fingerprint)


def _write_joined(target: h5py.File, files: list[h5py.File], places: list[Path], fingerprint: str) -> None:
    if any(storage_format(file) != "raw" for file in files):
        raise CacheError("only raw shards can be joined", "pack the joined cache instead")
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
    for first, size, file, place in zip(np.cumsum([0, *sizes]), sizes, files, places, strict=False):
        # By name only, so that the files can be moved together.
        layout[first : first + size] = h5py.VirtualSource(place.name, "face", file["face"].shape)
    target.create_virtual_dataset("face", layout)
