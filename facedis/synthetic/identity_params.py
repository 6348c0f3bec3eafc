"""Parameters of a rendered identity: shape of the head, appearance of skin, hair and eyes."""

from dataclasses import dataclass, fields

import numpy as np

#: anny's local changes of the face with their standard deviations; those of the left half (`l-`) apply
#: to the right half too.
_CHANGES = {
    **dict.fromkeys(("l-cheek-volume-incr", "l-cheek-inner-incr", "l-cheek-bones-incr", "l-cheek-trans-up"), 0.4),
    **dict.fromkeys(("chin-jaw-drop-incr", "chin-height-incr", "chin-prominent-incr", "chin-bones-incr"), 0.4),
    **dict.fromkeys(("chin-width-incr", "chin-cleft-incr", "chin-prognathism-incr"), 0.4),
    **dict.fromkeys(("l-ear-scale-incr", "l-ear-wing-incr", "l-ear-flap-incr", "l-ear-trans-up"), 0.4),
    **dict.fromkeys(("eyebrows-angle-up", "eyebrows-trans-up", "eyebrows-trans-forward"), 0.35),
    **dict.fromkeys(("l-eye-height1-incr", "l-eye-height2-incr", "l-eye-height3-incr", "l-eye-scale-incr"), 0.35),
    **dict.fromkeys(("l-eye-corner1-up", "l-eye-corner2-up", "l-eye-trans-out", "l-eye-trans-up"), 0.35),
    **dict.fromkeys(("l-eye-epicanthus-out", "l-eye-eyefold-up", "l-eye-bag-incr", "l-eye-push1-out"), 0.4),
    **dict.fromkeys(("forehead-temple-incr", "forehead-trans-forward", "forehead-scale-vert-incr"), 0.4),
    **dict.fromkeys(("forehead-nubian-incr", "head-fat-incr", "head-scale-vert-incr"), 0.35),
    **dict.fromkeys(("head-scale-depth-incr", "head-scale-horiz-incr", "head-angle-out", "head-age-incr"), 0.35),
    **dict.fromkeys(("mouth-scale-horiz-incr", "mouth-scale-vert-incr", "mouth-trans-up"), 0.3),
    **dict.fromkeys(("mouth-lowerlip-volume-incr", "mouth-upperlip-volume-incr", "mouth-cupidsbow-incr"), 0.4),
    **dict.fromkeys(("mouth-upperlip-height-incr", "mouth-lowerlip-height-incr", "mouth-laugh-lines-out"), 0.3),
    **dict.fromkeys(("nose-scale-vert-incr", "nose-scale-horiz-incr", "nose-scale-depth-incr"), 0.4),
    **dict.fromkeys(("nose-hump-incr", "nose-point-up", "nose-point-width-incr", "nose-base-up"), 0.45),
    **dict.fromkeys(("nose-nostrils-width-incr", "nose-flaring-incr", "nose-width1-incr", "nose-width2-incr"), 0.45),
    **dict.fromkeys(("nose-curve-convex", "nose-greek-incr", "nose-volume-incr", "nose-trans-up"), 0.35),
    **dict.fromkeys(("neck-scale-horiz-incr", "neck-scale-depth-incr", "neck-double-incr"), 0.3),
}
#: Factor of all these standard deviations.
_SPREAD = 0.75
_ORIGINS = ("african", "asian", "caucasian")
_HAIRS = np.array(
    [[0.020, 0.016, 0.014], [0.045, 0.026, 0.016], [0.110, 0.062, 0.034], [0.330, 0.215, 0.105], [0.210, 0.075, 0.035]]
)
_GREY = np.array([0.26, 0.25, 0.24])
_IRISES = np.array(
    [[0.09, 0.045, 0.02], [0.20, 0.12, 0.05], [0.13, 0.17, 0.09], [0.12, 0.20, 0.32], [0.16, 0.19, 0.21]]
)


@dataclass(frozen=True, kw_only=True)
class IdentityParams:
    """Parameters of one identity. Colours are linear reflectances in 0..1, lengths metres on the average head.

    Attributes:
        phenotype: anny's phenotype parameters by name.
        changes: anny's local changes by name, in -1..1.
        skin: (3,) colour.
        redness: Redness of cheeks, nose and ears, 0..1.
        freckles: Density of freckles, 0..1.
        marks: Seed of moles and skin texture.
        lips: (3,) colour.
        hair: (3,) colour of the hair, brows and beard.
        style: Index into `HAIR_STYLES`.
        hairline: Height of the hairline above the average one.
        temples: Recession of the hairline at the temples.
        volume: Thickness of the hair.
        parting: Position of the parting, -1..1 across the head.
        brow_height: Height of the brows above the average.
        brow_weight: Half the thickness of the brows.
        brow_arch: Curvature of the brows.
        iris: (3,) colour.
        iris_size: Radius of the iris.
        beard: Density of the beard, 0..1.
        lash: Darkness of the eyelid margins, 0..1.
    """

    phenotype: dict[str, float]
    changes: dict[str, float]
    skin: np.ndarray
    redness: float
    freckles: float
    marks: int
    lips: np.ndarray
    hair: np.ndarray
    style: int
    hairline: float
    temples: float
    volume: float
    parting: float
    brow_height: float
    brow_weight: float
    brow_arch: float
    iris: np.ndarray
    iris_size: float
    beard: float
    lash: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "IdentityParams":
        """Sample a random identity; appearance is correlated with sex, age and origin."""
        sex, age = float(rng.random() < 0.5), rng.uniform(0.42, 0.88)
        origin = rng.dirichlet((0.5, 0.5, 0.5))
        phenotype = {
            "gender": abs(sex - rng.uniform(0.0, 0.25)),  # 1 is male
            "age": age,
            "muscle": rng.uniform(0.3, 0.7),
            "weight": rng.uniform(0.25, 0.8),
            "height": 0.5,
            "proportions": rng.uniform(0.3, 0.8),
            **dict(zip(_ORIGINS, origin, strict=True)),
        }
        skin = _skin(origin, rng)
        return cls(
            phenotype={name: float(value) for name, value in phenotype.items()},
            changes=_changes(rng),
            skin=skin,
            redness=rng.uniform(0.2, 1.0),
            freckles=float(rng.random() < 0.25) * rng.uniform(0.3, 1.0),
            marks=int(rng.integers(2**31)),
            lips=np.clip(skin * [0.86, 0.52, 0.50] * rng.uniform(0.75, 1.1) + rng.normal(0, 0.01, 3), 0.02, 1),
            hair=_hair(origin, age, rng),
            style=_style(sex, age, rng),
            hairline=rng.uniform(-0.006, 0.010),
            temples=rng.uniform(0.1, 0.5),
            volume=rng.uniform(0.006, 0.016),
            parting=rng.uniform(-1.0, 1.0),
            brow_height=rng.uniform(-0.002, 0.003),
            brow_weight=rng.uniform(0.0028, 0.0042) + 0.0010 * sex,
            brow_arch=rng.uniform(0.0, 0.006),
            iris=_IRISES[rng.choice(len(_IRISES), p=_iris_odds(origin))] * rng.uniform(0.8, 1.2),
            iris_size=rng.uniform(0.0061, 0.0067),
            beard=float(sex and rng.random() < 0.45) * rng.uniform(0.25, 0.9),
            lash=rng.uniform(0.3, 0.6) + 0.3 * (1 - sex),
        )

    def to_vector(self) -> tuple[list[str], np.ndarray]:
        """Return the names and the values of all parameters except the seed `marks`."""
        names, values = [], []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "marks":
                continue
            pairs = value.items() if isinstance(value, dict) else enumerate(np.atleast_1d(value))
            single = np.ndim(value) == 0 and not isinstance(value, dict)
            for key, number in pairs:
                names.append(field.name if single else f"{field.name}.{key}")
                values.append(float(number))
        return names, np.array(values, np.float32)


#: Hair styles, from none to long.
HAIR_STYLES = ("bald", "cropped", "short", "medium", "long")


def _changes(rng: np.random.Generator) -> dict[str, float]:
    drawn: dict[str, float] = {}
    for name, spread in _CHANGES.items():
        drawn[name] = float(np.clip(rng.normal(0.0, _SPREAD * spread), -1, 1))
        if name.startswith("l-"):  # faces are slightly asymmetric
            drawn["r-" + name[2:]] = float(np.clip(drawn[name] + rng.normal(0.0, 0.06), -1, 1))
    return drawn


def _skin(origin: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Linear reflectance, a geometric mixture of light and dark skin by melanin."""
    melanin = np.clip(origin @ [0.66, 0.22, 0.10] + rng.normal(0, 0.10), 0.0, 0.95)
    light, dark = np.array([0.66, 0.42, 0.31]), np.array([0.075, 0.036, 0.022])
    return light ** (1 - melanin) * dark**melanin * np.exp(rng.normal(0, 0.05, 3))


def _hair(origin: np.ndarray, age: float, rng: np.random.Generator) -> np.ndarray:
    fair = origin[2] * np.array([0.0, 0.1, 0.35, 0.35, 0.2]) + (1 - origin[2]) * np.array([0.6, 0.3, 0.1, 0.0, 0.0])
    fair[0] += 1 - fair.sum()
    colour = _HAIRS[rng.choice(len(_HAIRS), p=np.clip(fair, 0, 1) / np.clip(fair, 0, 1).sum())]
    grey = np.clip((age - 0.78) / 0.17, 0, 1) * rng.uniform(0.2, 1.0)
    return colour * rng.uniform(0.8, 1.25) * (1 - grey) + _GREY * grey


def _iris_odds(origin: np.ndarray) -> np.ndarray:
    odds = origin[2] * np.array([0.25, 0.2, 0.2, 0.25, 0.1]) + (1 - origin[2]) * np.array([0.75, 0.25, 0.0, 0.0, 0.0])
    return odds / odds.sum()


def _style(sex: float, age: float, rng: np.random.Generator) -> int:
    male = np.array([0.10 + 0.15 * (age > 0.7), 0.35, 0.40, 0.10, 0.0])
    odds = male if sex else np.array([0.01, 0.09, 0.20, 0.35, 0.35])
    return int(rng.choice(len(HAIR_STYLES), p=odds / odds.sum()))
