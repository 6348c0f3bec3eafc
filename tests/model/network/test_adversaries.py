"""Ensembles of adversaries: one for every branch and every factor of another branch."""

import torch

from facedis.config import ModelConfig
from facedis.model.network.adversaries import AdversaryEnsemble, build_adversaries


def test_the_default_adversary_is_one_linear_classifier_on_the_rest_code():
    found = build_adversaries(ModelConfig(rest_dim=5), {"expression": 3})
    assert found.pairs == (("rest", "expression"),)
    assert [tuple(weight.shape) for weight in found.parameters()] == [(3, 5), (3,)]


def test_every_branch_has_an_adversary_for_every_factor_of_another_branch():
    config = ModelConfig(factors=("identity", "yaw"), expression_dim=4, rest_dim=5)
    found = build_adversaries(config, {"expression": 3, "identity": 7, "yaw": 2})
    assert set(found.pairs) == {
        ("expression", "identity"), ("expression", "yaw"), ("rest", "expression"), ("rest", "yaw"),
        ("yaw", "expression"), ("yaw", "identity"),
    }  # fmt: skip
    codes = {"expression": torch.randn(2, 4), "rest": torch.randn(2, 5), "yaw": torch.randn(2, 5)}
    logits = found(codes)
    assert logits["expression", "identity"].shape == (1, 2, 7) and logits["rest", "yaw"].shape == (1, 2, 2)


def test_a_baseline_has_no_adversaries():
    assert build_adversaries(ModelConfig(baseline=True), {"expression": 3}) is None


def test_an_ensemble_averages_the_probabilities_of_its_members_and_can_be_reset():
    ensemble = AdversaryEnsemble(5, 3, ModelConfig(adversary_ensemble=("linear", "mlp"))).eval()
    code = torch.randn(4, 5)
    each = ensemble(code).softmax(2)
    assert each.shape == (2, 4, 3)
    torch.testing.assert_close(ensemble.log_probs(code).softmax(1), each.mean(0))
    ensemble.reset_parameters()
    assert not torch.equal(ensemble(code).softmax(2), each)
