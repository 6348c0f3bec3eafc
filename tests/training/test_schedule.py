"""Schedules of learning rate and beta3."""

import pytest

from facedis.training.decoder.decoder_trainer import phase
from facedis.training.schedule import lr_factor


def test_schedules_have_the_right_first_last_and_largest_values():
    assert lr_factor("constant", 7, 10) == 1
    assert lr_factor("cosine", 0, 10) == 1
    assert lr_factor("cosine", 5, 10) == pytest.approx(0.5)
    assert lr_factor("onecycle", 0, 100) < 0.1 < lr_factor("onecycle", 9, 100)
    assert max(lr_factor("onecycle", step, 100) for step in range(100)) == pytest.approx(1, abs=0.01)
    assert lr_factor("onecycle", 99, 100) < 0.01


def test_warm_up_and_main_phase_of_the_decoder_have_a_cycle_each():
    assert phase(0, 10, 0.0) == (False, pytest.approx(0.04))
    assert phase(5, 10, 0.6)[0] and not phase(6, 10, 0.6)[0]
    assert phase(6, 10, 0.6)[1] == pytest.approx(0.04) and phase(9, 10, 1.0)[0]
