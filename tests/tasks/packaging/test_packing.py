import json

import numpy as np
import pytest
import torch
from safetensors import safe_open

from facedis.atomic_io import write_text
from facedis.config import ModelConfig
from facedis.errors import ConfigError, OutputError, RunError
from facedis.model.storage.checkpoint import MODEL, load_run, read_info, write_info
from facedis.model.storage.packed import check_files, load_packed, to_half
from facedis.model.storage.registry import load_model
from facedis.tasks.encoding.encode import encode_faces
from facedis.tasks.encoding.temperature import CALIBRATION, Calibration
from facedis.tasks.packaging.model_metadata import portable_command, portable_info
from facedis.tasks.packaging.model_verification import verify_model
from facedis.tasks.packaging.packing import PackageTarget, pack
from facedis.tasks.swapping.evaluators import dependence_reason
from tests.tasks.packed_models import packed
from tests.tasks.runs import make_run

FACES = np.random.default_rng(1).integers(0, 256, (5, 48, 48, 3), np.uint8)


def test_a_packed_model_gives_the_codes_of_its_run(tmp_path, monkeypatch):
    run, folder = packed(tmp_path, monkeypatch)
    model = load_model(folder)
    assert model.packed and model.adversary is None and run.adversary is not None
    assert all(value.dtype == torch.float32 for value in model.model.parameters())
    device = torch.device("cpu")
    original, loaded = encode_faces(run, FACES, device), encode_faces(model, FACES, device)
    for name, codes in original.items():
        np.testing.assert_allclose(loaded[name], codes, atol=0.02 * np.abs(codes).max())


def test_the_file_is_half_precision_and_has_no_training_modules(tmp_path, monkeypatch):
    run, folder = packed(tmp_path, monkeypatch, expression_dim=12)
    with safe_open(folder / MODEL, "pt") as file:
        kinds = {name: file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118
    assert not [name for name in kinds if "adversary" in name or "keeper" in name]
    exact = [name for name, kind in kinds.items() if kind == torch.float32]
    assert exact == ["model.rest_branch.layers.6.bias", "model.rest_branch.layers.6.weight"]
    assert (folder / MODEL).stat().st_size < 0.55 * (run.path / MODEL).stat().st_size


def test_the_leace_erased_layer_keeps_full_precision(tmp_path, monkeypatch):
    run, folder = packed(tmp_path, monkeypatch)
    last = run.model.rest_branch.layers[-1].weight
    assert (load_packed(folder).model.rest_branch.layers[-1].weight == last).all()


def test_tensors_outside_the_range_of_half_precision_are_unchanged():
    large, small, count = torch.tensor([1e6, 1.0]), torch.tensor([0.1]), torch.tensor([3])
    assert to_half(large) is large and to_half(count) is count
    assert to_half(small).dtype == torch.float16


def test_a_packed_model_has_no_absolute_paths(tmp_path, monkeypatch):
    run = make_run(tmp_path / "run", 3)
    info = read_info(run.path)
    faces = info["faces"] | {"path": f"{tmp_path}/secret/x.h5"}
    write_info(run.path, info | {"command": f"{tmp_path}/bin/facedis train --faces {tmp_path}/x.h5", "faces": faces})
    _, folder = packed(tmp_path, monkeypatch, run=load_run(run.path))
    texts = [path.read_text() for path in folder.iterdir() if path.suffix in (".json", ".md")]
    assert not [text for text in texts if str(tmp_path) in text]
    assert json.loads((folder / "model.json").read_text())["command"] == "facedis train --faces x.h5"


def test_a_packed_model_has_the_temperature(tmp_path, monkeypatch):
    run = make_run(tmp_path / "run", 3)
    write_text(run.path / CALIBRATION, json.dumps({"temperature": 1.5, "faces": f"{tmp_path}/x.h5"}))
    _, folder = packed(tmp_path, monkeypatch, run=run)
    assert Calibration.from_run(load_packed(folder)) == Calibration(1.5, fitted=True)
    assert str(tmp_path) not in (folder / CALIBRATION).read_text()


def test_a_command_keeps_its_relative_paths():
    assert portable_command("/usr/bin/facedis train --faces data/x.h5") == "facedis train --faces data/x.h5"
    assert portable_command("/usr/lib/facedis/__main__.py train") == "facedis train"
    assert portable_command("facedis train 'unfinished") == ""


def test_the_source_of_the_trunk_is_recorded_and_makes_evaluators_dependent(tmp_path, monkeypatch):
    source = make_run(tmp_path / "source", 1)
    run = make_run(tmp_path / "run", 2, weights=source.path)
    assert portable_info(run.path)["model"]["weights"] == "source"
    _, folder = packed(tmp_path, monkeypatch, run=run)
    model = load_packed(folder)
    assert model.info["began_with"]["tensors"] == source.fingerprint
    assert dependence_reason(source, model) and dependence_reason(run, model) and dependence_reason(model, run)
    assert dependence_reason(make_run(tmp_path / "other", 9), model) == ""


def test_verify_model_finds_damaged_files(tmp_path, monkeypatch):
    _, folder = packed(tmp_path, monkeypatch)
    assert verify_model(str(folder))["whole"]
    content = (folder / MODEL).read_bytes()
    (folder / MODEL).write_bytes(content[:-100])
    (folder / "results.json").unlink()
    (folder / "card.md").write_text("# other\n")
    (folder / "more.txt").write_text("?")
    problem = {found.file: found.problem for found in check_files(folder) if found.problem}
    assert problem.keys() == {MODEL, "results.json", "card.md", "more.txt"}
    assert "truncated" in problem[MODEL] and problem["results.json"] == "is missing"
    found = verify_model(str(folder))
    assert not found["whole"] and found["seen"] is None


def test_verify_model_finds_changed_outputs(tmp_path, monkeypatch):
    from facedis.model.storage.packed import write_manifest

    _, folder = packed(tmp_path, monkeypatch)
    info = json.loads((folder / "model.json").read_text())
    info["check"]["expression"][0] += 1
    (folder / "model.json").write_text(json.dumps(info))
    write_manifest(folder)
    found = verify_model(str(folder))
    assert not found["whole"] and found["furthest"] == pytest.approx(1)


def test_only_packed_models_are_replaced(tmp_path, monkeypatch):
    run, folder = packed(tmp_path, monkeypatch)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    for place, again in ((tmp_path / "mine", True), (folder, False)):
        with pytest.raises(OutputError, match="exists already"):
            pack(run, [], str, PackageTarget(place, "demo", again))
    assert (tmp_path / "mine" / "letter.txt").exists()
    pack(run, [], lambda facts: "# again\n", PackageTarget(folder, "demo", True))
    assert (folder / "card.md").read_text() == "# again\n"
    assert not list(tmp_path.glob(".packing-*"))
    with pytest.raises(ConfigError, match="--name"):
        pack(run, [], str, PackageTarget(tmp_path / "x", "a/b"))
    with pytest.raises(RunError, match="already a packed model"):
        pack(load_packed(folder), [], str, PackageTarget(tmp_path / "x", "x"))


def test_a_packed_model_has_the_settings_of_its_run(tmp_path, monkeypatch):
    run, folder = packed(tmp_path, monkeypatch, leaky_slope=0.3)
    model = load_packed(folder)
    assert isinstance(model.config, ModelConfig) and model.config.leaky_slope == 0.3
    assert (model.classes, model.train_config, model.grey) == (run.classes, run.train_config, run.grey)
