"""Codes of faces, and the table of codes of a faces cache."""

from collections.abc import Collection, Iterator
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from facedis.errors import CacheError, ConfigError, RunError
from facedis.events import EventHandler, ignore_events, track
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.loader import prefetch_batches
from facedis.metrics.codes import CodeTable
from facedis.model.device import pick_device
from facedis.model.network.disentangler import Output
from facedis.model.preprocessing import to_images
from facedis.model.storage.checkpoint import Run

#: The two codes, and the trunk features averaged over the image.
CODES = ("expression", "rest", "trunk")
#: Values of the option --code.
Code = Literal["expression", "rest", "trunk", "both", "all"]
#: The codes that each of them selects.
CODE_CHOICES = {name: (name,) for name in CODES} | {"both": ("expression", "rest"), "all": CODES}
#: Prefix of the code of an additional branch among the arrays of a batch.
_EXTRA = "extra "


def resolve_codes(run: Run, code: str) -> tuple[str, ...]:
    """The names of `CODES` that `code`, a key of `CODE_CHOICES`, selects.

    Raises:
        ConfigError: Unknown code.
        RunError: The rest code of a model without one is requested.
    """
    if code not in CODE_CHOICES:
        raise ConfigError(f"--code is '{code}'", f"choose one of: {', '.join(CODE_CHOICES)}")
    if "rest" in CODE_CHOICES[code] and run.model.rest_branch is None:
        raise RunError(f"{run.display_name} is a baseline without a rest code", "choose --code expression or trunk")
    return CODE_CHOICES[code]


def run_labels(run: Run, cache: FacesCache) -> np.ndarray:
    """Labels of a cache as indices into the run's classes, matched by name.

    Returns:
        (N,) int, -1 for expressions that are not among the run's classes.

    Raises:
        CacheError: The cache and the run have no expression in common.
    """
    position = np.array([run.classes.index(name) if name in run.classes else -1 for name in cache.info.classes] + [-1])
    if (position < 0).all():
        raise CacheError(
            f"{cache.path} and {run.display_name} have no expression in common",
            f"the classes of the model are {', '.join(run.classes)}",
        )
    return position[cache.labels]  # a label of -1 indexes the -1 at the end


@torch.inference_mode()
def forward(run: Run, faces: np.ndarray, device: torch.device, draw: bool = True) -> tuple[Tensor, Output]:
    """The input tensor of the network for `faces`, and its output.

    Args:
        run: The model; it is moved to `device`.
        faces: (n, S, S, 3) uint8, aligned like the training faces.
        device: Device to compute on.
        draw: Whether to run the decoder.
    """
    images = _input(run, faces, device)
    return images, run.model.to(device)(images, reconstruct=draw)


@torch.inference_mode()
def encode_faces(
    run: Run, faces: np.ndarray, device: torch.device, wanted: Collection[str] = CODES
) -> dict[str, np.ndarray]:
    """Codes of `faces`. Only the branches that are needed run; the decoder does not.

    Args:
        run: The model; it is moved to `device`.
        faces: (n, S, S, 3) uint8, aligned like the training faces.
        device: Device to compute on.
        wanted: Names of `CODES`, and "logits" or "probabilities" of the expression head.

    Returns:
        (n, D) float32 by name, in the order of `wanted`; without "rest" if the model has no rest branch.
    """
    model = run.model.to(device)
    maps = model.feature_maps(_input(run, faces, device))
    found: dict[str, Tensor] = {}
    if "trunk" in wanted:
        found["trunk"] = maps.trunk.mean((2, 3))
    if "rest" in wanted and model.rest_branch is not None:
        found["rest"] = model.rest_branch(model.rest_features(maps))
    if not {"expression", "logits", "probabilities"}.isdisjoint(wanted):
        found["expression"] = model.expression_branch(maps.trunk)
    if "logits" in wanted or "probabilities" in wanted:
        found["logits"] = model.expression_head(found["expression"])
        found["probabilities"] = found["logits"].softmax(1)
    return {name: found[name].float().cpu().numpy() for name in wanted if name in found}


def _input(run: Run, faces: np.ndarray, device: torch.device) -> Tensor:
    images = to_images(torch.from_numpy(faces).to(device), run.config.image_size, run.grey)
    return images.contiguous(memory_format=torch.channels_last)


def encode(
    run: Run,
    cache: FacesCache,
    rows: np.ndarray,
    batch_size: int = 128,
    device: str = "auto",
    handler: EventHandler = ignore_events,
    tta_flip: bool = False,
) -> CodeTable:
    """Codes, trunk features and class probabilities of rows of a faces cache.

    Args:
        run: The model.
        cache: The faces cache.
        rows: (n,) int rows of the cache.
        batch_size: Faces per step.
        device: "auto", "cpu", "cuda" or "mps".
        handler: Receives progress.
        tta_flip: Average the outputs of each face and of its mirror image.
    """
    arrays: dict[str, np.ndarray] = {}
    with track(handler, "encoding", len(rows)) as progress:
        done = 0
        for batch in _encoded(run, cache, rows, batch_size, pick_device(device), tta_flip):
            for name, values in batch.items():  # filled in place: concatenating batches would need twice the memory
                arrays.setdefault(name, np.empty((len(rows), *values.shape[1:]), values.dtype))
                arrays[name][done : done + len(values)] = values
            done += len(batch["expression"])
            progress.advance(len(batch["expression"]))
    return CodeTable(
        rows=rows,
        expression=arrays["expression"],
        rest=arrays.get("rest"),
        trunk=arrays["trunk"],
        probabilities=arrays["probabilities"],
        adversary=arrays.get("adversary"),
        labels=run_labels(run, cache)[rows],
        identities=cache.identities[rows],
        splits=cache.splits[rows],
        classes=run.classes,
        factors={name: values[rows] for name, values in cache.factors.items()},
        extra_codes={name.removeprefix(_EXTRA): codes for name, codes in arrays.items() if name.startswith(_EXTRA)},
        factor_branches=run.config.factor_branches,
    )


def _encoded(
    run: Run, cache: FacesCache, rows: np.ndarray, batch_size: int, device: torch.device, tta_flip: bool
) -> Iterator[dict[str, np.ndarray]]:
    batches = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
    for _, faces in prefetch_batches(cache, batches):
        arrays = _outputs(run, faces, device)
        if tta_flip:
            mirrored = _outputs(run, np.ascontiguousarray(faces[:, :, ::-1]), device)
            arrays = {name: (value + mirrored[name]) / 2 for name, value in arrays.items()}
        yield arrays


@torch.inference_mode()
def _outputs(run: Run, faces: np.ndarray, device: torch.device) -> dict[str, np.ndarray]:
    _, output = forward(run, faces, device, draw=False)
    tensors = {
        "expression": output.codes.expression,
        "trunk": output.features,
        "probabilities": output.logits.softmax(1),
    } | {_EXTRA + name: code for name, code in output.codes.others.items()}
    if output.codes.rest is not None:
        tensors["rest"] = output.codes.rest
        if run.adversary is not None:
            tensors["adversary"] = run.adversary.to(device).expression_in_rest(output.codes.rest).softmax(1)
    return {name: value.float().cpu().numpy() for name, value in tensors.items()}
