import configparser
import shutil
import subprocess
import sys
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

from facedis import pretrained
from facedis.config.settings_file import tomllib
from facedis.model.storage.checkpoint import MODEL
from facedis.model.storage.packed import CARD, FACE, MANIFEST, RESULTS
from facedis.model.storage.registry import load_model
from facedis.pretrained import METADATA
from facedis.tasks.packaging.model_verification import verify_model
from facedis.tasks.packaging.packing import MAX_BUNDLED_BYTES
from facedis.tasks.similarity.reference_distribution import REFERENCE_FILE
from facedis.tasks.swapping.class_means import CLASS_MEANS_FILE

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    place = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place / name)
    shutil.copytree(ROOT / "facedis", place / "facedis", ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", place]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, place], check=True, timeout=120)
    with zipfile.ZipFile(next(place.glob("*.whl"))) as archive:
        yield archive


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel):
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    files = (path for path in (ROOT / "facedis").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert packed == {path.relative_to(ROOT).as_posix() for path in files}


def test_a_model_inside_is_whole_and_small_enough():
    """None need be there; what is there must be what was packed."""
    for name in pretrained.list_names():
        folder = pretrained.model_dir(name)
        assert sum(path.stat().st_size for path in folder.iterdir()) <= MAX_BUNDLED_BYTES
        assert verify_model(name)["whole"]
        assert load_model(name).info["name"] == name


def test_a_model_that_is_put_in_comes_into_the_wheel():
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    for name in (METADATA, MODEL, CARD, RESULTS, MANIFEST, FACE, REFERENCE_FILE, CLASS_MEANS_FILE):
        assert any(fnmatch(f"bundled/{name}", pattern) for pattern in patterns["facedis.pretrained"]), name


def test_every_entry_point_names_a_module_of_the_wheel(wheel):
    points = configparser.ConfigParser()
    text = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    points.read_string(wheel.read(text).decode())
    for group in points.sections():
        for value in points[group].values():
            module, _, attribute = value.partition(":")
            source = wheel.read(f"{module.replace('.', '/')}.py").decode()
            assert any(form in source for form in (f"def {attribute}(", f"class {attribute}", f"\n{attribute} = ")), (
                value
            )


def test_the_wheel_brings_the_licence(wheel):
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
