"""Erasure folded into the last convolution of a branch."""

import numpy as np
import pytest
import torch

from facedis.config import ModelConfig, RetentionConfig
from facedis.errors import ConfigError
from facedis.model.network.branches import Branch
from facedis.training.recipes.erasure import _rank_limit, fold_affine


def test_a_folded_affine_map_equals_the_map_after_the_branch():
    torch.manual_seed(0)
    branch = Branch((8, 2, 2), 5, ModelConfig(branch_widths=(4, 4, 4)))
    features = torch.randn(6, 8, 2, 2)
    before = branch(features).detach().double().numpy()
    generator = np.random.default_rng(0)
    matrix, shift = generator.normal(size=(5, 5)), generator.normal(size=5)
    fold_affine(branch, matrix, shift)
    np.testing.assert_allclose(branch(features).detach().numpy(), before @ matrix.T + shift, atol=1e-5)


def test_the_rank_limit_keeps_exactly_the_directions_that_predict_the_targets():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 6000)
    codes = generator.normal(size=(6000, 6)) * [1, 2, 3, 1, 1, 1] + 5
    targets = codes[:, [1, 3]] + labels[:, None]  # the expression does not count
    matrix, shift = _rank_limit(codes, targets, labels, 2)
    limited = codes @ matrix.T + shift
    assert np.linalg.matrix_rank(matrix, tol=1e-6) == 2
    np.testing.assert_allclose(limited.mean(0), codes.mean(0))
    np.testing.assert_allclose(limited[:, [1, 3]], codes[:, [1, 3]], atol=0.5)
    assert limited[:, [0, 2, 4, 5]].std(0).max() < 0.2


def test_a_rank_limit_needs_a_retention_target():
    with pytest.raises(ConfigError, match="lowres-retention-weight"):
        RetentionConfig(rest_rank=4, leace=True)
