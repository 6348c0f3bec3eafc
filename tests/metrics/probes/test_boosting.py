import numpy as np

from facedis.metrics.probes.boosting import boosting_probe
from facedis.metrics.probes.linear import ProbeData


def steps(n: int, seed: int) -> ProbeData:
    """Codes of which the first dimension determines the class: 0 in a central band, 2 outside."""
    codes = np.random.default_rng(seed).uniform(-1, 1, (n, 3)).astype(np.float32)
    return ProbeData(codes, (np.abs(codes[:, 0]) > 0.5).astype(int) * 2)


def test_bands_are_classified_and_absent_classes_never_predicted():
    train, val, test = steps(900, 0), steps(200, 1), steps(300, 2)
    probe = boosting_probe(train, val, 3)
    logits = probe.logits(test.codes)
    assert (logits.argmax(axis=1) == test.labels).mean() > 0.9
    assert (logits[:, 1] == -np.inf).all()
    assert probe.hyperparameters["rounds"] % 5 == 0


def test_val_score_is_the_balanced_accuracy_on_val():
    train, val = steps(80, 0), steps(100, 1)
    probe = boosting_probe(train, val, 3)
    predictions = probe.logits(val.codes).argmax(axis=1)
    assert probe.val_score == np.mean([(predictions[val.labels == k] == k).mean() for k in (0, 2)])


def test_unfittable_data_gives_none():
    data = steps(40, 0)
    assert boosting_probe(ProbeData(np.ones((40, 3)), data.labels), data, 3) is None
    assert boosting_probe(ProbeData(data.codes, np.zeros(40, int)), data, 3) is None
    assert boosting_probe(data, ProbeData(data.codes[:0], data.labels[:0]), 3) is None
    assert boosting_probe(data, data, 21) is None
