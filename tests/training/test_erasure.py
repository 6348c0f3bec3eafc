"""An affine map folded into a branch's last convolution gives what the map gives behind it."""

import numpy as np
import torch

from facedis.config import ModelConfig
from facedis.model.branches import Branch
from facedis.training.erasure import fold


def test_a_folded_map_is_the_map_behind_the_branch():
    torch.manual_seed(0)
    branch = Branch((8, 2, 2), 5, ModelConfig(branch_widths=(4, 4, 4)))
    features = torch.randn(6, 8, 2, 2)
    before = branch(features).detach().double().numpy()
    generator = np.random.default_rng(0)
    matrix, shift = generator.normal(size=(5, 5)), generator.normal(size=5)
    fold(branch, matrix, shift)
    np.testing.assert_allclose(branch(features).detach().numpy(), before @ matrix.T + shift, atol=1e-5)
