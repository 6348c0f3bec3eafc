"""Rendering of a head with mitsuba, and the camera response."""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from facedis.errors import MissingExtra
from facedis.synthetic.backdrop import backdrop
from facedis.synthetic.capture import Capture
from facedis.synthetic.hair import HairSurface, hair_surfaces
from facedis.synthetic.head import Head, Surface
from facedis.synthetic.identity_params import IdentityParams
from facedis.synthetic.paint import TexelPositions, add_clothes, skin_texture

#: Light paths per pixel, stratified.
SAMPLES = 16
#: Height of the image's centre above the eye line, and width of the view at the standard distance; metres.
_MIDDLE, _WIDTH = -0.022, 0.20
#: Rotation centre of the head, relative to the eyes; metres.
_PIVOT = np.array([0.0, 0.10, -0.11])


@dataclass(frozen=True)
class RenderSubject:
    """Geometry and texture of one identity.

    Attributes:
        person: Parameters of the identity.
        neutral: (V, 3) vertices with a neutral expression.
        texture: (S, S, 3) texture without clothes.
        hair: Hair surfaces, possibly none.
    """

    person: IdentityParams
    neutral: np.ndarray
    texture: np.ndarray
    hair: list[HairSurface]

    @classmethod
    def build(cls, person: IdentityParams, neutral: np.ndarray, head: Head, texels: TexelPositions) -> "RenderSubject":
        """Create the texture and the hair of an identity."""
        hair = hair_surfaces(person, head, texels, neutral, normals(neutral, head.surfaces["skin"].corners))
        return cls(person, neutral, skin_texture(person, texels), hair)


@dataclass(frozen=True)
class Renderer:
    """Renders images of a head with mitsuba.

    Attributes:
        head: The average head and its actions.
        texels: Positions of the texels on the head.
    """

    head: Head
    texels: TexelPositions

    def render(self, subject: RenderSubject, weights: np.ndarray, capture: Capture, size: int) -> np.ndarray:
        """Render one image.

        Args:
            subject: The identity.
            weights: (52,) weights of the facial actions.
            capture: Pose, camera, light, background.
            size: Side of the image in pixels.

        Returns:
            (size, size, 3) uint8.
        """
        light, alpha = self.radiance(subject, weights, capture, size)
        return develop(light, alpha, capture)

    def radiance(
        self, subject: RenderSubject, weights: np.ndarray, capture: Capture, size: int
    ) -> tuple[np.ndarray, ...]:
        """Return the (size, size, 3) linear radiance without a background, and the (size, size) coverage."""
        mi = load_mitsuba()
        vertices = self.head.apply_actions(subject.neutral, weights)
        texture = add_clothes(subject.texture, self.texels, capture.cloth, capture.collar)
        scene = mi.load_dict(self._scene(mi, subject, vertices, texture, capture, size))
        image = np.array(mi.render(scene), np.float32)
        alpha = np.clip(image[..., 3], 0, 1)
        return image[..., :3], alpha

    def _scene(
        self, mi: Any, subject: RenderSubject, vertices: np.ndarray, texture: np.ndarray, capture: Capture, size: int
    ) -> dict[str, Any]:
        turn, middle = pose(capture), self._middle(subject)
        moved = (vertices - middle - _PIVOT) @ turn.T + middle + _PIVOT
        image = mi.Bitmap(np.ascontiguousarray(texture))
        skin = {"type": "bitmap", "bitmap": image, "raw": True}
        materials = {
            "skin": {"type": "roughplastic", "diffuse_reflectance": skin, "alpha": 0.42, "int_ior": 1.36},
            "eyes": {"type": "plastic", "diffuse_reflectance": skin, "int_ior": 1.38},
            "teeth": {"type": "roughplastic", "diffuse_reflectance": _rgb([0.62, 0.58, 0.48]), "alpha": 0.2},
            "tongue": {"type": "roughplastic", "diffuse_reflectance": _rgb([0.42, 0.13, 0.12]), "alpha": 0.3},
        }
        scene: dict[str, Any] = {
            "type": "scene",
            "integrator": {"type": "path", "max_depth": 3, "hide_emitters": True},
            "sensor": self._camera(mi, middle, capture, size),
        } | _lights(mi, middle, capture)
        for name, surface in self.head.surfaces.items():
            scene[name] = _mesh(mi, name, moved, surface, self.head.uv, materials[name])
        for number, hair in enumerate(subject.hair):
            place = (hair.vertices - middle - _PIVOT) @ turn.T + middle + _PIVOT
            scene[f"hair{number}"] = _hair_mesh(mi, f"hair{number}", place, hair)
        return scene

    def _middle(self, subject: RenderSubject) -> np.ndarray:
        """Midpoint between the eyes."""
        return subject.neutral[np.unique(self.head.surfaces["eyes"].corners)].mean(0)

    def _camera(self, mi: Any, middle: np.ndarray, capture: Capture, size: int) -> dict[str, Any]:
        aim = middle + np.array([-capture.shift[0], 0.06, _MIDDLE - capture.shift[1]])
        origin = aim - [0, capture.distance, 0]
        wide = np.degrees(2 * np.arctan(_WIDTH * capture.field / 2 / (capture.distance - 0.1)))
        view = mi.ScalarTransform4f().look_at(origin=origin.tolist(), target=aim.tolist(), up=[0, 0, 1])
        film = {"type": "hdrfilm", "width": size, "height": size, "pixel_format": "rgba", "rfilter": {"type": "box"}}
        sampler = {"type": "multijitter", "sample_count": SAMPLES, "seed": capture.background % 2**31}
        return {"type": "perspective", "fov": float(wide), "to_world": view, "film": film, "sampler": sampler}


def develop(light: np.ndarray, alpha: np.ndarray, capture: Capture) -> np.ndarray:
    """Add tone curve, background and noise to linear radiance; returns (S, S, 3) uint8."""
    size = len(light)
    shown = np.clip(light / np.maximum(alpha, 1e-3)[..., None], 0, None)
    shown = (shown / (1 + 0.25 * shown**2)).clip(0, 1) ** (1 / 2.2)
    image = backdrop(capture.background, size) * (1 - alpha[..., None]) + shown * alpha[..., None]
    noise = np.random.default_rng([capture.background, 1]).normal(0, capture.grain / 255, image.shape)
    return (255 * np.clip(image + noise, 0, 1) + 0.5).astype(np.uint8)


def pose(capture: Capture) -> np.ndarray:
    """Return the (3, 3) rotation of the head."""
    (sy, sp, sr), (cy, cp, cr) = (f([capture.yaw, capture.pitch, capture.roll]) for f in (np.sin, np.cos))
    yaw = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    roll = np.array([[cr, 0, sr], [0, 1, 0], [-sr, 0, cr]])
    return roll @ pitch @ yaw


def normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return the (V, 3) unit vertex normals, area-weighted means over the adjacent triangles."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    found = np.zeros_like(vertices)
    for corner in range(3):
        for axis in range(3):
            found[:, axis] += np.bincount(triangles[:, corner], face[:, axis], len(vertices))
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def load_mitsuba() -> Any:
    """Import mitsuba and set it up for one thread; images are rendered in parallel processes.

    Raises:
        MissingExtra: mitsuba is not installed.
    """
    os.environ.setdefault("MI_LOG_LEVEL", "warn")
    try:
        import drjit  # type: ignore[import-not-found]
        import mitsuba as mi
    except ImportError as error:
        raise MissingExtra("rendering faces", "synth") from error
    if mi.variant() is None:
        mi.set_variant("scalar_rgb")
        drjit.set_thread_count(1)
    return mi


def _lights(mi: Any, middle: np.ndarray, capture: Capture) -> dict[str, Any]:
    azimuth, elevation = capture.key
    towards = np.array([np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation)])
    area = np.pi * capture.key_size**2
    power = 5.2 * capture.key_power * (1 - 0.5 * capture.fill) * 4 / area
    return {
        "key": {
            "type": "sphere",
            "center": (middle + 2 * towards).tolist(),
            "radius": float(capture.key_size),
            "emitter": {"type": "area", "radiance": _rgb(power * capture.tint)},
        },
        "fill": {"type": "constant", "radiance": _rgb(1.3 * capture.fill * (2 - capture.tint))},
    }


def _rgb(colour: Any) -> dict[str, Any]:
    return {"type": "rgb", "value": [float(max(value, 0.0)) for value in colour]}


def _mesh(mi: Any, name: str, vertices: np.ndarray, surface: Surface, uv: np.ndarray, material: dict[str, Any]) -> Any:
    shade = normals(vertices, surface.corners)
    pairs, index = surface.pairs
    mesh = _empty_mesh(mi, name, len(pairs), len(index), {"type": "twosided", "inside": material})
    return _fill_mesh(mi, mesh, vertices[pairs[:, 0]], shade[pairs[:, 0]], uv[pairs[:, 1]], index)


def _hair_mesh(mi: Any, name: str, vertices: np.ndarray, hair: HairSurface) -> Any:
    colour = {"type": "bitmap", "bitmap": mi.Bitmap(hair.colour), "raw": True}
    material = {"type": "principled", "base_color": colour, "roughness": 0.5, "specular": 0.3}
    mesh = _empty_mesh(mi, name, len(vertices), len(hair.triangles), {"type": "twosided", "inside": material})
    return _fill_mesh(mi, mesh, vertices, normals(vertices, hair.triangles), hair.uv, hair.triangles)


def _fill_mesh(
    mi: Any, mesh: Any, vertices: np.ndarray, shade: np.ndarray, uv: np.ndarray, triangles: np.ndarray
) -> Any:
    values = mi.traverse(mesh)
    values["vertex_positions"] = vertices.astype(np.float32).ravel()
    values["vertex_normals"] = shade.astype(np.float32).ravel()
    values["vertex_texcoords"] = (uv * [1, -1] + [0, 1]).astype(np.float32).ravel()
    values["faces"] = triangles.astype(np.uint32).ravel()
    values.update()
    return mesh


def _empty_mesh(mi: Any, name: str, vertices: int, faces: int, material: dict[str, Any]) -> Any:
    properties = mi.Properties()
    properties["bsdf"] = mi.load_dict(material)
    return mi.Mesh(name, vertices, faces, properties, True, True)
