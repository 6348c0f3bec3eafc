"""What `facedis ablate` makes of its words, before anything is trained."""

from pathlib import Path

import pytest

from facedis.commands.ablate import _form, _seeds
from facedis.errors import ConfigError


def test_seeds_are_whole_numbers_between_commas():
    assert _seeds("0,1, 2", False) == (0, 1, 2)
    assert _seeds(None, True) == ()


@pytest.mark.parametrize("words", ["", "a", "1,1", "-1", "0.5"])
def test_other_seeds_are_refused(words):
    with pytest.raises(ConfigError, match="--seeds"):
        _seeds(words, False)


def test_one_seed_and_several_are_refused_together():
    with pytest.raises(ConfigError, match="both given"):
        _seeds("0,1", True)


def test_the_form_is_the_one_named_else_that_of_the_ending():
    assert _form(None, Path("t.tex")) == "latex"
    assert _form("csv", Path("t.tex")) == "csv"
    assert _form(None, None) is None
    with pytest.raises(ConfigError, match=r"t\.doc"):
        _form(None, Path("t.doc"))
