import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from facedis.metrics.probes.linear import L2_GRID, ProbeData, linear_probe, mean_and_scale

CLASSES = 3


def part(n: int, seed: int, signal: float = 2.0, size: int = 8) -> ProbeData:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, CLASSES, n)
    codes = generator.normal(size=(n, size))
    codes[:, :CLASSES] += signal * np.eye(CLASSES)[labels]
    return ProbeData(codes.astype(np.float32), labels)


def score(probe, test: ProbeData) -> float:
    predictions = probe.predict(test.codes)
    return float(np.mean([(predictions[test.labels == k] == k).mean() for k in np.unique(test.labels)]))


def test_separable_codes_are_classified_and_noise_is_at_chance():
    assert score(linear_probe(part(600, 0, 6), part(200, 1, 6), CLASSES), part(600, 2, 6)) > 0.99
    blind = score(linear_probe(part(600, 0, 0), part(200, 1, 0), CLASSES), part(3000, 2, 0))
    assert blind == pytest.approx(1 / 3, abs=0.04)


def test_predictions_equal_scikit_learn():
    train, val, test = part(400, 0), part(200, 1), part(400, 2)
    probe = linear_probe(train, val, CLASSES)
    centre, scale = train.codes.mean(0, dtype=float), train.codes.std(0, dtype=float)
    alone = LogisticRegression(C=1 / (probe.l2 * 400), class_weight="balanced", tol=1e-8, max_iter=5000)
    alone.fit((train.codes - centre) / scale, train.labels)
    same = alone.predict((test.codes - centre) / scale) == probe.predict(test.codes)
    assert same.mean() > 0.99


def test_penalty_is_chosen_on_val():
    noise = part(60, 0, 0.7, size=50)
    probe = linear_probe(noise, part(2000, 1, 0.7, size=50), CLASSES)
    assert probe.l2 in L2_GRID
    assert probe.l2 > 1e-3  # with as many dimensions as images a weak penalty overfits
    assert probe.val_score == pytest.approx(score(probe, part(2000, 1, 0.7, size=50)))


def test_predictions_are_invariant_to_scale_and_shift():
    train, val, test = part(400, 0), part(200, 1), part(400, 2)
    plain = linear_probe(train, val, CLASSES).predict(test.codes)
    small = [ProbeData(p.codes.astype(float) * 1e-9 - 5e-8, p.labels) for p in (train, val, test)]
    hidden = linear_probe(small[0], small[1], CLASSES).predict(small[2].codes)
    assert (plain == hidden).mean() > 0.99


def test_constant_code_is_at_chance():
    labels = np.arange(90) % CLASSES
    constant = ProbeData(np.full((90, 4), 0.1, np.float32), labels)
    assert score(linear_probe(constant, constant, CLASSES), constant) == pytest.approx(1 / 3, abs=1e-12)


def test_rounding_is_not_scaled_up():
    codes = np.full((50, 2), 7.3, np.float32)
    codes[:25, 0] = np.nextafter(np.float32(7.3), np.float32(8))
    codes[:25, 1] = 7.4
    _, scale = mean_and_scale(codes)
    assert scale[0] == 1 and scale[1] == pytest.approx(0.05, rel=1e-3)


def test_fit_is_class_balanced():
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], [2000, 60])
    codes = generator.normal(size=(2060, 1)) + 1.0 * labels[:, None]
    train = ProbeData(codes, labels)
    probe = linear_probe(train, train, 2)
    recalls = [(probe.predict(codes[labels == k]) == k).mean() for k in (0, 1)]
    assert min(recalls) > 0.55  # an unbalanced fit would hardly predict the rare class


def test_absent_classes_are_never_predicted():
    labels = np.tile([0, 2], 50)
    codes = np.where(labels == 2, 1.0, -1.0)[:, None] + np.random.default_rng(0).normal(0, 0.1, (100, 1))
    probe = linear_probe(ProbeData(codes, labels), ProbeData(codes, labels), CLASSES)
    assert probe.predict(np.array([[-1.0], [1.0], [0.2]])).tolist() == [0, 2, 2]
    assert probe.val_score == 1


def test_single_class_or_empty_val_gives_none():
    data = part(50, 0)
    one = ProbeData(data.codes, np.zeros(50, int))
    assert linear_probe(one, data, CLASSES) is None
    assert linear_probe(data, ProbeData(data.codes[:0], data.labels[:0]), CLASSES) is None


def test_results_are_deterministic():
    first, second = (linear_probe(part(300, 0), part(100, 1), CLASSES) for _ in range(2))
    assert (first.coef == second.coef).all() and first.l2 == second.l2
