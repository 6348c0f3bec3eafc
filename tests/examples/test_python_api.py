import runpy
from pathlib import Path

import pytest
import torch

from facedis.faces.cache.cache import FacesCache

SCRIPT = Path(__file__).parents[2] / "examples" / "python_api.py"


@pytest.fixture
def one_thread():
    """Small networks are slower with several threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_the_script_runs(monkeypatch, pictures, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACEDIS_HOME", str(pictures.parents[1]))
    runpy.run_path(str(SCRIPT))["main"](epochs=1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("128 images, read as rendered, crop box, 160 px")
    assert "preset small: as requested" in lines
    with FacesCache.open("faces.h5") as cache:
        found, tested = len(cache.rows()), len(cache.rows("test"))
    assert tested >= 31  # of 32 images; in one the face may be turned too far to be detected
    text = "\n".join(lines)
    assert "person0154_neutral_0.webp and person0154_neutral_1.webp: expression codes at cosine " in text
    assert (tmp_path / "swap.png").is_file()
    assert any(line.startswith("leakage 0.") and line.endswith(f"chance 0.125, {found} faces") for line in lines)
    assert lines[-1].startswith("accuracy 0.") and lines[-1].endswith(f"chance 0.125, {tested} faces")
