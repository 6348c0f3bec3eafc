import numpy as np

from facedis.metrics.probes.probe_suite import ALL, LINEAR, fresh_probes
from facedis.metrics.probes.probes import Part


def part(n: int, seed: int, size: int = 4) -> Part:
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    return Part((3 * np.eye(3, size)[labels] + generator.normal(size=(n, size))).astype(np.float32), labels)


def test_every_kind_reads_a_clear_signal():
    fit, selection, test = part(150, 0), part(90, 1), part(150, 2)
    probes = fresh_probes(fit, selection, 3, ALL)
    assert tuple(probes) == ALL
    for kind, probe in probes.items():
        assert (probe.logits(test.codes).argmax(axis=1) == test.labels).mean() > 0.85, kind
        assert 0.85 < probe.selection <= 1, kind
        assert probe.setting, kind


def test_what_cannot_be_fitted_is_left_out():
    data = part(60, 0)
    assert set(fresh_probes(Part(np.ones((60, 4)), data.labels), data, 3, ("linear", "boosting"))) == {"linear"}
    assert fresh_probes(Part(data.codes, np.zeros(60, int)), data, 3, LINEAR) == {}
    assert fresh_probes(data, Part(data.codes[:0], data.labels[:0]), 3, LINEAR) == {}
