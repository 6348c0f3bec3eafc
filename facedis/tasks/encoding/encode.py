"""Faces to codes: the bridge from a model and a cache to the arrays that measures take."""

from collections.abc import Collection, Iterator

import numpy as np
import torch
from torch import Tensor

from facedis.errors import CacheError
from facedis.events import Event, EventHandler, ignore_events
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.loader import prefetched
from facedis.metrics.codes import CodeTable
from facedis.model.device import pick_device
from facedis.model.network.disentangler import Output
from facedis.model.preprocessing import to_images
from facedis.model.storage.checkpoint import Run

#: Before the name of a further branch among the arrays of a batch.
_OTHER = "other "
#: What can be asked of a face: the two codes, and the trunk's features averaged over the picture.
CODES = ("expression", "rest", "trunk")


def run_labels(run: Run, cache: FacesCache) -> np.ndarray:
    """(N,) Labels of the cache in the run's classes, mapped by name; -1 where the run knows none.

    Raises:
        CacheError: The two have no expression in common.
    """
    position = np.array([run.classes.index(name) if name in run.classes else -1 for name in cache.info.classes] + [-1])
    if (position < 0).all():
        raise CacheError(
            f"{cache.path} and {run.display_name} have no expression in common",
            f"the model knows {', '.join(run.classes)}",
        )
    return position[cache.labels]  # a label of -1 takes the -1 at the end


@torch.inference_mode()
def forward(run: Run, faces: np.ndarray, device: torch.device, draw: bool = True) -> tuple[Tensor, Output]:
    """The network's input for `faces` and its output.

    Args:
        run: The model; moved to `device`.
        faces: (n, S, S, 3) uint8, aligned as the run's own faces were.
        device: Where to compute.
        draw: False to leave the decoder out.
    """
    images = _input(run, faces, device)
    return images, run.model.to(device)(images, draw=draw)


@torch.inference_mode()
def encode_faces(
    run: Run, faces: np.ndarray, device: torch.device, wanted: Collection[str] = CODES
) -> dict[str, np.ndarray]:
    """The codes of `faces` and nothing else: no branch that is not asked for runs, and no decoder.

    Args:
        run: The model; moved to `device`.
        faces: (n, S, S, 3) uint8, aligned as the run's own faces were.
        device: Where to compute.
        wanted: Names of `CODES`, and "logits" or "probabilities" for those of the expression head.

    Returns:
        (n, D) float32 by name, in that order, without `rest` where the model has no rest branch.
    """
    model = run.model.to(device)
    own = len(model.rest_stages) if model.rest_stages else 0
    shared, features = model.trunk.split(_input(run, faces, device), own)  # n C H W
    found: dict[str, Tensor] = {}
    if "trunk" in wanted:
        found["trunk"] = features.mean((2, 3))
    if "rest" in wanted and model.rest_branch is not None:
        found["rest"] = model.rest_branch(model.rest_stages(shared) if model.rest_stages else shared)
    if not {"expression", "logits", "probabilities"}.isdisjoint(wanted):
        found["expression"] = model.expression_branch(features)
    if "logits" in wanted or "probabilities" in wanted:
        found["logits"] = model.expression_head(found["expression"])
        found["probabilities"] = found["logits"].softmax(1)
    return {name: found[name].float().cpu().numpy() for name in wanted if name in found}


def _input(run: Run, faces: np.ndarray, device: torch.device) -> Tensor:
    images = to_images(torch.from_numpy(faces).to(device), run.config.size, run.grey)
    return images.contiguous(memory_format=torch.channels_last)


def encode(
    run: Run,
    cache: FacesCache,
    rows: np.ndarray,
    batch: int = 128,
    device: str = "auto",
    handler: EventHandler = ignore_events,
    flip: bool = False,
) -> CodeTable:
    """Codes, features and class probabilities of `rows` of a cache.

    Args:
        run: The model.
        cache: Where the faces lie.
        rows: (n,) rows of the cache.
        batch: Faces at a time.
        device: As in the settings.
        handler: Told of the progress.
        flip: Average all that a face gives with what its mirror image gives.
    """
    arrays: dict[str, np.ndarray] = {}
    handler(Event("start", "encoding", total=len(rows)))
    done = 0
    for piece in _encoded(run, cache, rows, batch, pick_device(device), flip):
        for name, values in piece.items():  # laid out once: pieces and their concatenation would be twice as much
            arrays.setdefault(name, np.empty((len(rows), *values.shape[1:]), values.dtype))
            arrays[name][done : done + len(values)] = values
        done += len(piece["expression"])
        handler(Event("advance", "encoding", done=done))
    handler(Event("end", "encoding"))
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
        extra_codes={name.removeprefix(_OTHER): codes for name, codes in arrays.items() if name.startswith(_OTHER)},
        factor_branches=run.config.owners,
    )


def _encoded(
    run: Run, cache: FacesCache, rows: np.ndarray, batch: int, device: torch.device, flip: bool
) -> Iterator[dict[str, np.ndarray]]:
    starts = range(0, len(rows), batch)
    for _, faces in prefetched(cache, [rows[start : start + batch] for start in starts]):
        arrays = _arrays(run, faces, device)
        if flip:
            mirrored = _arrays(run, np.ascontiguousarray(faces[:, :, ::-1]), device)
            arrays = {name: (value + mirrored[name]) / 2 for name, value in arrays.items()}
        yield arrays


@torch.inference_mode()
def _arrays(run: Run, faces: np.ndarray, device: torch.device) -> dict[str, np.ndarray]:
    _, output = forward(run, faces, device, draw=False)
    arrays = {
        "expression": output.codes.expression,
        "trunk": output.features,
        "probabilities": output.logits.softmax(1),
    } | {_OTHER + name: code for name, code in output.codes.others.items()}
    if output.codes.rest is not None:
        arrays["rest"] = output.codes.rest
    if run.adversary is not None:
        arrays["adversary"] = run.adversary.to(device).expression_in_rest(output.codes.rest).softmax(1)
    return {name: value.float().cpu().numpy() for name, value in arrays.items()}
