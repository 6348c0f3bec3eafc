import numpy as np

from facedis.metrics.probes.linear import ProbeData
from facedis.metrics.probes.probe_suite import LINEAR_KINDS, PROBE_KINDS, fit_probes


def part(n: int, seed: int, size: int = 4) -> ProbeData:
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    return ProbeData((3 * np.eye(3, size)[labels] + generator.normal(size=(n, size))).astype(np.float32), labels)


def test_every_kind_classifies_separable_codes():
    train, val, test = part(150, 0), part(90, 1), part(150, 2)
    probes = fit_probes(train, val, 3, PROBE_KINDS)
    assert tuple(probes) == PROBE_KINDS
    for kind, probe in probes.items():
        assert (probe.logits(test.codes).argmax(axis=1) == test.labels).mean() > 0.85, kind
        assert 0.85 < probe.val_score <= 1, kind
        assert probe.hyperparameters, kind


def test_unfittable_kinds_are_omitted():
    data = part(60, 0)
    assert set(fit_probes(ProbeData(np.ones((60, 4)), data.labels), data, 3, ("linear", "boosting"))) == {"linear"}
    assert fit_probes(ProbeData(data.codes, np.zeros(60, int)), data, 3, LINEAR_KINDS) == {}
    assert fit_probes(data, ProbeData(data.codes[:0], data.labels[:0]), 3, LINEAR_KINDS) == {}
