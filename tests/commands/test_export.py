"""`facedis export`: one ONNX file that computes what the model computes, without torch."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

from facedis.errors import OutputError
from facedis.faces.cropping.crop import resize_image
from facedis.faces.io.images import read_image
from facedis.model.storage.checkpoint import load_run, read_info, write_info
from facedis.tasks.encoding.encode import encode_faces
from facedis.tasks.encoding.temperature import CALIBRATION
from facedis.tasks.packaging import export as study
from facedis.tasks.packaging.onnx_module import OnnxModule
from tests.commands.test_bad_input import refused
from tests.tasks.runs import make_run

VARIANTS = {
    "plain": {},
    "normed": {"code_norm": "batch", "unshared_stages": 2},
    "unit": {"code_norm": "unit", "branch_bn": True},
    "baseline": {"baseline": True},
    "upwards": {"image_size": 64},
    "factors": {"factors": ("yaw",)},
}


@pytest.fixture
def few(monkeypatch, pictures):
    """The small set of pictures where the bundled ones would be unpacked."""
    monkeypatch.setattr(study, "bundled_folder", lambda handler: pictures)


def shown(pictures, n, size=48):
    return np.stack([resize_image(read_image(path), size) for path in sorted(pictures.glob("*.webp"))[:n]])


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("grey", [False, True])
def test_what_goes_out_is_what_the_model_says(pictures, tmp_path, name, grey):
    run = make_run(tmp_path / "run", 1, **VARIANTS[name])
    run.info["faces"]["grey"] = grey
    faces = shown(pictures, 5)
    codes = encode_faces(run, faces, torch.device("cpu"), ("expression", "rest", "logits"))
    logits = codes.pop("logits").astype(float) / 1.7
    codes["probabilities"] = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    found = OnnxModule(run, 1.7).eval().arrays(faces)
    assert set(found) == set(codes) and ("rest" in found) == (name != "baseline")
    for key, values in codes.items():
        np.testing.assert_allclose(found[key], values, atol=2e-5)


@pytest.fixture(scope="module")
def exported(tmp_path_factory, pictures):
    """A file of a grey run with a temperature and stages of its own."""
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("exported")
    make_run(folder / "run", 2, trunk="resnet18_half", code_norm="batch", unshared_stages=2)
    info = read_info(folder / "run")
    write_info(folder / "run", info | {"faces": info["faces"] | {"grey": True}})
    (folder / "run" / CALIBRATION).write_text('{"temperature": 2.5}')
    patch = pytest.MonkeyPatch()
    patch.setattr(study, "bundled_folder", lambda handler: pictures)
    try:
        record = study.export_onnx(load_run(folder / "run"), folder / "model.onnx")
    finally:
        patch.undo()
    return folder, record


def test_the_file_runs_where_there_is_no_torch(exported, pictures, tmp_path):
    folder, record = exported
    assert record["n"] == 100 and max(record["differences"].values()) < 1e-4
    np.save(tmp_path / "faces.npy", shown(pictures, 7))
    script = (
        "import sys, json\n"
        "for name in ('torch', 'torchvision', 'onnx', 'facedis'):\n    sys.modules[name] = None\n"
        "import numpy as np, onnxruntime\n"
        f"session = onnxruntime.InferenceSession({str(folder / 'model.onnx')!r})\n"
        f"faces = np.load({str(tmp_path / 'faces.npy')!r})\n"
        "names = [each.name for each in session.get_outputs()]\n"
        f"np.savez({str(tmp_path / 'out.npz')!r}, **dict(zip(names, session.run(None, {{'faces': faces}}))))\n"
        "print(json.dumps(session.get_modelmeta().custom_metadata_map))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    expected = OnnxModule(load_run(folder / "run"), 2.5).eval().arrays(shown(pictures, 7))
    with np.load(tmp_path / "out.npz") as found:
        assert set(found) == {"probabilities", "expression", "rest"}
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values, atol=1e-4)
    about = {name: value for name, value in json.loads(done.stdout).items()}
    assert json.loads(about["classes"]) == ["neutral", "happiness", "anger"]
    assert (json.loads(about["size"]), about["crop"], json.loads(about["grey"])) == (48, "box", True)
    assert json.loads(about["temperature"]) == 2.5 and about["model"] == "run"
    assert "MIT" in about["license"] and about["facedis"]


def test_a_file_that_computes_something_else_is_not_kept(exported, few, monkeypatch, tmp_path):
    folder, _ = exported
    other = make_run(tmp_path / "other", 3, trunk="resnet18_half", code_norm="batch", unshared_stages=2)
    monkeypatch.setattr(study, "_write", lambda module, example, path, about: shutil.copy(folder / "model.onnx", path))
    with pytest.raises(OutputError, match="differ from those of torch"):
        study.export_onnx(other, tmp_path / "m.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_the_command_prints_the_differences(facedis, few, tmp_path):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    make_run(tmp_path / "run", 4, trunk="resnet18_half", baseline=True)
    words = ("export", "--onnx", tmp_path / "m.onnx", "--run", tmp_path / "run")
    done = facedis(*words)
    assert done.code == 0 and (tmp_path / "m.onnx").stat().st_size > 1e5
    text = " ".join(done.out.split())
    assert "Largest difference from PyTorch on" in text and "not calibrated" in text
    assert "codes: expression Largest" in text  # and no rest code
    refused(facedis(*words), "exists already", "--overwrite")


def test_wishes_that_cannot_be_met(facedis, here, tmp_path, monkeypatch):
    refused(facedis("export", "--onnx", tmp_path / "m.pt"), "m.pt", ".onnx")
    refused(facedis("export", "--onnx", tmp_path / "m.onnx", "--run", "gone"), "gone")
    monkeypatch.setattr(study, "find_spec", lambda name: None)
    refused(facedis("export", "--onnx", tmp_path / "m.onnx"), "facedis[onnx]")
    assert not list(tmp_path.iterdir())
