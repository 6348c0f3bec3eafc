"""An affine map folded into a branch's last convolution gives what the map gives behind it."""

import numpy as np
import pytest
import torch

from facedis.config import ModelConfig, RetentionConfig
from facedis.errors import ConfigError
from facedis.model.network.branches import Branch
from facedis.training.recipes.erasure import _pruned, fold_affine


def test_a_folded_map_is_the_map_behind_the_branch():
    torch.manual_seed(0)
    branch = Branch((8, 2, 2), 5, ModelConfig(branch_widths=(4, 4, 4)))
    features = torch.randn(6, 8, 2, 2)
    before = branch(features).detach().double().numpy()
    generator = np.random.default_rng(0)
    matrix, shift = generator.normal(size=(5, 5)), generator.normal(size=5)
    fold_affine(branch, matrix, shift)
    np.testing.assert_allclose(branch(features).detach().numpy(), before @ matrix.T + shift, atol=1e-5)


def test_of_a_code_only_what_tells_the_target_stays_and_nothing_of_that_is_lost():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 6000)
    codes = generator.normal(size=(6000, 6)) * [1, 2, 3, 1, 1, 1] + 5
    targets = codes[:, [1, 3]] + labels[:, None]  # the expression is no reason to keep a direction
    matrix, shift = _pruned(codes, targets, labels, 2)
    pruned = codes @ matrix.T + shift
    assert np.linalg.matrix_rank(matrix, tol=1e-6) == 2
    np.testing.assert_allclose(pruned.mean(0), codes.mean(0))
    np.testing.assert_allclose(pruned[:, [1, 3]], codes[:, [1, 3]], atol=0.5)
    assert pruned[:, [0, 2, 4, 5]].std(0).max() < 0.2


def test_directions_of_nothing_that_is_named_are_refused():
    with pytest.raises(ConfigError, match="lowres-retention-weight"):
        RetentionConfig(rest_rank=4, leace=True)
