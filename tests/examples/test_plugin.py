import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

PLUGIN = Path(__file__).parents[2] / "examples" / "plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Environment variables with which the plugin is installed."""
    place = tmp_path_factory.mktemp("plugin")
    shutil.copytree(PLUGIN, place / "source", ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", place / "site"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, place / "source"], check=True, timeout=120)
    return os.environ | {"PYTHONPATH": str(place / "site"), "FACEDIS_HOME": str(place / "home")}


def facedis(environment, *arguments, cwd=None):
    command = [sys.executable, "-m", "facedis", *arguments]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=120)


def test_help_lists_the_command(installed):
    done = facedis(installed, "--help")
    assert done.returncode == 0
    assert "Count the faces of a cache" in done.stdout
    assert done.stderr == ""


def test_reader_and_command(installed, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, name in enumerate(("anna-happy-1", "anna-sad-2", "boris-happy-1")):
        Image.new("RGB", (32, 32), (80 * number, 90, 120)).save(photos / f"{name}.jpg")
    shares = ("--val-fraction", "0", "--test-fraction", "0")
    done = facedis(installed, "align", "photos", "-o", "faces.h5", "--crop", "none", *shares, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = facedis(installed, "count", "faces.h5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["train", "happiness", "2"],
        ["train", "sadness", "1"],
    ]


def test_a_misnamed_file_is_skipped_and_alone_is_an_error(installed, tmp_path):
    (tmp_path / "anna.jpg").write_bytes(b"")
    done = facedis(installed, "align", ".", "--dataset", "file-names", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "anna.jpg: it is not named like anna-happy-1.jpg" in done.stderr
    Image.new("RGB", (32, 32)).save(tmp_path / "anna-happy-1.jpg")
    done = facedis(installed, "align", ".", "--dataset", "file-names", "--crop", "none", cwd=tmp_path)
    assert done.returncode == 0
    assert "skipped anna.jpg: it is not named like" in done.stderr
