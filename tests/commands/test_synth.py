import sys

import pytest


@pytest.mark.parametrize("package", ["mitsuba", "anny.paths"])
def test_without_the_extra_it_says_what_to_install(facedis, monkeypatch, tmp_path, package):
    monkeypatch.setitem(sys.modules, package, None)
    done = facedis("synth", "-o", tmp_path / "set")
    assert done.code == 2 and "pip install 'facedis[synth]'" in done.err
    assert len(done.err.strip().splitlines()) == 1 and not (tmp_path / "set").exists()


def test_a_swap_of_what_was_not_rendered_is_one_line(facedis, tmp_path):
    (tmp_path / "a.webp").touch()
    done = facedis("synth", "--reenact", tmp_path / "a.webp", tmp_path / "a.webp", "-o", tmp_path / "swap.png")
    assert done.code == 2 and "is not a set of rendered faces" in done.err
    assert not (tmp_path / "swap.png").exists()


def test_a_set_is_of_one_kind(facedis, tmp_path):
    done = facedis("synth", "--grid", "--scenes", "-o", tmp_path / "set")
    assert done.code == 2 and "leave out one of them" in done.err and not (tmp_path / "set").exists()


def test_ctrl_c_is_one_line(facedis, monkeypatch, tmp_path):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("facedis.synthetic.synthesis.render_dataset", stop)
    done = facedis("synth", "-o", tmp_path / "set")
    assert done.code == 130 and done.err.strip().splitlines() == ["facedis: stopped; nothing that was finished is lost"]
