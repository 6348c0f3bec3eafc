"""The same photograph twice: found through other sizes, cuts and light, and kept out of the probes' way."""

import numpy as np
import pytest

from facedis.measures.copies import SIDE, outlines, shown_again
from facedis.measures.parts import Parts, without_copies


def faces(n, size=48, seed=0):
    """(n, size, size, 3) uint8 of patches of light that no two pictures share."""
    coarse = np.random.default_rng(seed).uniform(40, 200, (n, size // 4, size // 4))
    return np.repeat(np.repeat(coarse, 4, 1), 4, 2)[..., None].repeat(3, 3).astype(np.uint8)


def test_an_outline_knows_no_brightness_and_no_contrast():
    plain = faces(3)
    brighter = (plain * 0.7 + 50).astype(np.uint8)
    assert outlines(plain).shape == (3, SIDE**2)
    assert (outlines(plain) * outlines(brighter)).sum(1) == pytest.approx(np.ones(3), abs=1e-3)
    assert np.isfinite(outlines(np.zeros((1, 50, 50, 3), np.uint8))).all()


def test_a_copy_is_found_mirrored_and_in_other_light_and_a_stranger_is_not():
    some, others = faces(20), faces(30, seed=1)
    others[4] = some[7][:, ::-1]
    others[9] = (some[2] * 0.8).astype(np.uint8)
    assert np.flatnonzero(shown_again(outlines(some), outlines(others))).tolist() == [2, 7]
    assert not shown_again(outlines(some), outlines(others)[:0]).any()


def test_probes_learn_from_no_picture_that_is_tested_unless_its_person_is_known():
    pictures = faces(60)
    pictures[50] = pictures[3]  # tested, and in P
    pictures[51] = pictures[21]  # tested, and in V
    pictures[22] = pictures[5]  # in V and in P
    pictures[52] = pictures[9]  # tested and in P, but P knows who it is
    rows = np.arange(60)
    names = np.full(60, "")
    names[9] = "Ada"
    parts = Parts(rows[:20], rows[20:40], rows[40:], rows[40:], False, 0)
    found = without_copies(parts, outlines(pictures), names)
    assert set(parts.probe) - set(found.probe) == {3, 5}
    assert set(parts.selection) - set(found.selection) == {21}
    assert found.copies == 3 and found.test is parts.test
