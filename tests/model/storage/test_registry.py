import pytest

from facedis import ExpressionEncoder, pretrained
from facedis.errors import MissingExtra, RunError
from facedis.model.storage import hub
from facedis.model.storage.checkpoint import MODEL, mark_latest
from facedis.model.storage.registry import load_model, load_model_or_newest
from tests.tasks.packed_models import packed


@pytest.fixture
def ship(monkeypatch, tmp_path):
    """Make a folder of models stand for the one inside the package."""

    def put(place):
        monkeypatch.setattr(pretrained, "__file__", str(place / "__init__.py"))

    (tmp_path / "nowhere").mkdir()
    put(tmp_path / "nowhere")
    return put


def test_the_default_is_the_bundled_model_and_for_commands_the_newest_run(tmp_path, monkeypatch, ship):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="no model is bundled"):
        load_model()
    with pytest.raises(RunError, match="no trained run in runs/ and no model is bundled"):
        load_model_or_newest()
    run, _ = packed(tmp_path, monkeypatch, name="bundled")
    ship(tmp_path)
    assert load_model().display_name == load_model_or_newest().display_name == "bundled"
    (tmp_path / "runs").mkdir()
    run.path.rename(tmp_path / "runs" / "mine")
    mark_latest(tmp_path / "runs" / "mine")
    events = []
    assert load_model_or_newest(handler=events.append).path.name == "mine"
    assert [event.text for event in events] == ["model: runs/mine (newest run; --model bundled for the bundled model)"]
    assert load_model().display_name == load_model_or_newest("bundled", events.append).display_name == "bundled"
    assert len(events) == 1


def test_every_way_to_name_a_model(tmp_path, monkeypatch, ship):
    monkeypatch.chdir(tmp_path)
    run, folder = packed(tmp_path, monkeypatch)
    for which in ("run", tmp_path / "run", f"run/{MODEL}"):
        assert not load_model(which).packed and load_model(which).fingerprint == run.fingerprint
    for which in ("demo", folder, "demo/model.json", f"demo/{MODEL}"):
        assert load_model(which).packed
    ship(tmp_path)
    assert load_model("demo").display_name == "demo" and load_model(folder).display_name == str(folder)


def test_what_is_said_of_a_model_that_is_not_there(tmp_path, monkeypatch, ship):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="no model is bundled in this installation"):
        load_model("bundled")
    with pytest.raises(RunError, match="no run folder gone"):
        load_model("gone")
    with pytest.raises(RunError, match="on a hub it is hf:me/gone"):
        load_model("me/gone")


def test_a_model_on_a_hub_needs_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra, match=r"facedis\[hub\]"):
        hub.fetch_model("hf:me/demo")


def test_the_encoder_takes_a_name(tmp_path, monkeypatch, ship):
    packed(tmp_path, monkeypatch, name="bundled")
    ship(tmp_path)
    encoder = ExpressionEncoder("bundled", code="both", device="cpu", crop="none")
    assert len(encoder.get_feature_names_out()) == 16
    assert encoder.get_params()["model"] == "bundled"
