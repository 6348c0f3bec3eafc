"""The Python interface on rendered faces with the bundled model, and on small caches."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import facedis
from facedis import metrics
from facedis.model.storage.checkpoint import mark_latest

HEAVY = ("torch", "numpy", "h5py", "sklearn", "PIL")


def loaded_by(script):
    """Which of the heavy packages a script loads."""
    script = f"import sys\n{script}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture(scope="module")
def model():
    return facedis.load_model(device="cpu")


@pytest.fixture(scope="module")
def images(pictures):
    return sorted(pictures.glob("person*_happiness_0.webp"))[:2]


@pytest.fixture(scope="module")
def trained(pattern_cache, tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    settings = {"image_size": 32, "trunk": "resnet18_half", "epochs": 1}
    return facedis.train(pattern_cache, preset="small", name="one", runs=runs, **settings)


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_by("import facedis\nfrom facedis import metrics") == []
    assert loaded_by("import facedis\nfacedis.list_models(), facedis.list_trunks(), facedis.list_datasets()") == []


@pytest.mark.parametrize("package", [facedis, metrics])
def test_every_public_name_resolves(package):
    assert len(set(package.__all__)) == len(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'nothing'"):
        _ = package.nothing


@pytest.mark.parametrize("package", [facedis, metrics])
def test_the_names_for_type_checkers_are_those_that_are_loaded(package):
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {name.name: node.module for node in block.body for name in node.names}
    table = next(node for node in ast.walk(block) if isinstance(node, ast.Dict))
    modules = {key.value: value.value.partition(":")[0] for key, value in zip(table.keys, table.values, strict=True)}
    assert typed == modules
    assert set(typed) == set(package.__all__) - {"__version__"}


def test_lists():
    assert facedis.list_models() == ["bundled"]
    assert {"inception_resnet_v1", "resnet18_half"} <= set(facedis.list_trunks())
    assert {"affectnet", "class-folders", "rendered"} <= set(facedis.list_datasets())


def test_without_a_name_the_bundled_model_is_loaded(trained, tmp_path, monkeypatch):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "one").symlink_to(trained.model)
    mark_latest(tmp_path / "runs" / "one")
    monkeypatch.chdir(tmp_path)
    assert facedis.load_model().name == "bundled"
    assert facedis.load_model("runs/latest").name == "runs/latest"


def test_model(model):
    assert model.classes == model.run.classes and len(model.classes) == 7
    assert model.has_decoder
    assert model.card().startswith("# bundled\n")
    assert repr(model).startswith("Model('bundled', trunk=")


def test_predictions(model, images):
    result = model.predict(images)
    assert result.n == len(result.faces) == 2
    table = pytest.importorskip("pandas") and result.to_pandas()
    assert table["image"].tolist() == [str(image) for image in images]
    assert set(table["expression"]) <= set(model.classes)


def test_codes_of_files_pillow_images_and_arrays(model, images):
    from PIL import Image

    pillow = [Image.open(image) for image in images]
    codes = [model.encode(given).expression for given in (images, pillow, [np.array(image) for image in pillow])]
    assert codes[0].shape == (2, model.run.config.expression_dim)
    np.testing.assert_array_equal(codes[0], codes[1])
    np.testing.assert_array_equal(codes[0], codes[2])


def test_images_without_a_face(model):
    blank = np.full((1, 64, 64, 3), 128, np.uint8)
    with pytest.raises(facedis.InputError, match="no face"):
        model.encode(blank)
    assert np.isnan(model.encode(blank, no_face="nan").expression).all()
    assert np.isfinite(model.encode(blank, no_face="full-image").expression).all()


def test_similarity(model, images):
    one, other = model.encode(images).expression.astype(np.float64)
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert model.similarity(*images).cosine == pytest.approx(cosine, abs=1e-4)


def test_swap(model, images, tmp_path):
    result = model.swap(*images)
    result.save(tmp_path / "swap.png")
    assert (tmp_path / "swap.png").is_file()
    assert (tmp_path / "swap" / "x1_swapped.png").is_file()


def test_codes_of_a_folder(model, images, pattern_cache, tmp_path):
    result = model.embed(pattern_cache, tmp_path / "codes.npz", split="test", code="expression")
    assert result.n == 18 and Path(result.output).is_file()


def test_alignment(images, tmp_path):
    (tmp_path / "happiness").mkdir()
    for image in images:
        (tmp_path / "happiness" / image.name).write_bytes(image.read_bytes())
    result = facedis.align(tmp_path, tmp_path / "faces.h5", crop="none", image_size=32)
    assert (result.rows, result.n, result.size, result.to_dict()["kind"]) == (2, 2, 32, "alignment")


def test_training_and_evaluation(trained, pattern_cache, tmp_path):
    assert trained.epochs == 1
    result = facedis.evaluate(trained.model, pattern_cache, split="test", probes="linear", bootstrap_samples=100)
    assert (result.split, result.n, result.settings["probes"]) == ("test", 18, "linear")
    loaded = facedis.load_model(trained.model, device="cpu")
    assert 0.05 < loaded.calibrate(pattern_cache) < 20
    with pytest.raises(facedis.RunError):
        facedis.resume(trained.model)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: facedis.align("photos", "f.h5", croop="box"), "unknown setting 'croop'; did you mean 'crop'?"),
        (lambda: facedis.train("f.h5", bta1=0.0), "unknown setting 'bta1'; did you mean 'beta1'?"),
        (lambda: facedis.evaluate("bundled", "f.h5", probe="all"), "unknown setting 'probe'; did you mean 'probes'?"),
        (lambda: facedis.evaluate("bundled", "f.h5", seed="a"), "'seed' is 'a'; it must be of type int"),
        (lambda: facedis.load_model("bundled", device="gpu"), "--device is 'gpu'; choose one of: auto, cpu, cuda, mps"),
    ],
)
def test_unknown_settings_are_one_line_errors(call, message):
    with pytest.raises(facedis.ConfigError) as caught:
        call()
    assert str(caught.value) == message


def test_unknown_settings_of_a_table(pattern_cache, tmp_path):
    with pytest.raises(facedis.ConfigError, match="unknown setting 'epoch'; did you mean 'epochs'"):
        facedis.train(pattern_cache, preset="small", runs=tmp_path, decoder={"epoch": 1})
