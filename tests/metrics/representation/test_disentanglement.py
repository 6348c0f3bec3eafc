import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from facedis.metrics.representation.disentanglement import BINS, dci, dci_of, mig, sap


def factors(n: int, seed: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {"expression": generator.integers(0, 4, n), "yaw": generator.uniform(-1, 1, n)}


def separated(known: dict[str, np.ndarray]) -> np.ndarray:
    """One dimension per factor, and one of noise."""
    noise = np.random.default_rng(9).normal(size=len(known["yaw"]))
    return np.stack([known["expression"].astype(float), known["yaw"], noise], axis=1)


def test_separated_factors_score_high_and_duplicated_dimensions_zero():
    p, q = factors(800, 0), factors(800, 1)
    clean = separated(q)
    doubled = np.concatenate([clean, clean], axis=1)
    assert min(mig(clean, q).values()) > 0.8
    assert max(mig(doubled, q).values()) == pytest.approx(0, abs=1e-12)
    alone = sap((separated(p), clean), (p, q))
    assert alone["yaw"] > 0.95 and alone["expression"] > 0.6
    pairs = np.concatenate([separated(p)] * 2, axis=1), doubled
    assert max(sap(pairs, (p, q)).values()) == pytest.approx(0, abs=1e-12)
    assert min(dci(clean, q).values()) > 0.8


def test_permuted_factors_score_zero():
    p, q = factors(800, 0), factors(800, 1)
    shuffled = {name: np.random.default_rng(5).permutation(values) for name, values in q.items()}
    assert max(mig(separated(q), shuffled).values()) < 0.05
    assert max(sap((separated(p), separated(q)), (p, shuffled)).values()) < 0.1


def test_mig_equals_scikit_learn():
    known = factors(300, 0)
    codes = separated(known) + 0.2 * np.random.default_rng(1).normal(size=(300, 3))

    def binned(values):
        return np.digitize(values, np.histogram(values, BINS)[1][:-1])

    for name, values in known.items():
        classes = binned(values) if values.dtype.kind == "f" else values
        information = np.sort([mutual_info_score(binned(column), classes) for column in codes.T])
        entropy = mutual_info_score(classes, classes)
        assert mig(codes, {name: values})[name] == pytest.approx((information[-1] - information[-2]) / entropy)


def test_dci_of_known_importances():
    assert dci_of(np.array([[1.0, 0], [0, 1.0]])) == {"disentanglement": 1, "completeness": 1}
    even = dci_of(np.ones((2, 2)))
    assert even["disentanglement"] == pytest.approx(0) and even["completeness"] == pytest.approx(0)
    split = dci_of(np.array([[1.0, 0], [1.0, 0], [0, 2.0]]))  # two dimensions encode one factor
    assert split["disentanglement"] == 1
    assert split["completeness"] == pytest.approx((1 - np.log(2) / np.log(3) + 1) / 2)
    assert dci_of(np.zeros((2, 2)))["completeness"] == 0


def test_constant_factor_scores_zero():
    codes = np.random.default_rng(0).normal(size=(50, 3))
    assert mig(codes, {"light": np.zeros(50)})["light"] == 0
    assert sap((codes, codes), ({"light": np.zeros(50)}, {"light": np.zeros(50)}))["light"] == 0


def test_rounding_only_dimension_has_finite_scores():
    known = {name: values.astype(np.float32) if name == "yaw" else values for name, values in factors(60, 0).items()}
    codes = np.full((60, 2), 7.3, np.float32)
    codes[::2, 0] = np.nextafter(np.float32(7.3), np.float32(8))
    assert set(mig(codes, known)) == set(sap((codes, codes), (known, known))) == {"expression", "yaw"}
    assert all(
        0 <= value < 0.2 for value in (*mig(codes, known).values(), *sap((codes, codes), (known, known)).values())
    )
