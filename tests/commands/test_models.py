"""`facedis models`, and a packed model wherever a command takes one."""

import json

import pytest

from facedis import pretrained
from tests.commands.test_bad_input import refused


@pytest.fixture(scope="module")
def model(world, pictures, tmp_path_factory):
    """A packed model of the world's run, measured once."""
    from facedis.config import EvalConfig
    from facedis.faces.cache.cache import FacesCache
    from facedis.model.storage.registry import load_model
    from facedis.reports.cards.card import card
    from facedis.result import write_result
    from facedis.tasks.evaluation.evaluation import evaluate
    from facedis.tasks.packaging.model_metadata import collect_results
    from facedis.tasks.packaging.packing import PackageTarget, pack

    folder = tmp_path_factory.mktemp("models")
    run = load_model(world / "runs" / "one")
    with FacesCache.open(world / "faces.h5") as cache:
        found = evaluate(run, cache, EvalConfig(split="test", probes="linear", bootstrap_samples=100))
    write_result(found.to_dict(), folder / "result.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACEDIS_HOME", str(pictures.parents[1]))
        pack(run, collect_results(run, [folder / "result.json"]), card, PackageTarget(folder / "bundled", "bundled"))
    return folder / "bundled"


@pytest.fixture
def inside(model, monkeypatch, tmp_path):
    """The model as if it were inside the package, and an empty folder to work in."""
    monkeypatch.setattr(pretrained, "__file__", str(model.parent / "__init__.py"))
    monkeypatch.chdir(tmp_path)


def test_without_a_model_list_says_so(facedis, monkeypatch, tmp_path):
    monkeypatch.setattr(pretrained, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.chdir(tmp_path)
    done = facedis("models", "list")
    assert done.code == 0 and "No model is bundled." in done.out
    assert facedis("models", "list", "--json").record["default"] is None
    refused(facedis("models", "show"), "no model is bundled", "facedis train")
    refused(facedis("models", "verify"), "no model is bundled")


def test_list_show_card_and_verify(facedis, inside, model, tmp_path):
    listed = facedis("models", "list", "--json").record
    assert listed["default"] == "bundled" and listed["models"][0]["trunk"] == "mobilenet_v3_large"
    n = json.loads((model.parent / "result.json").read_text())["n"]
    assert listed["models"][0]["accuracy"][0]["accuracy"]["n"] == n
    assert "rendered test:" in facedis("models", "list").out
    shown = facedis("models", "show", "bundled", "--json").record
    assert shown["packed"] and shown["codes"] == {"expression": 64, "rest": 64}
    assert sum(shown["parts"].values()) == shown["parameters"]
    assert "bundled: packed model" in facedis("models", "show").out
    text = facedis("models", "card", "bundled").out
    assert text.startswith("# bundled\n") and f"chance 12.5 %, n {n}" in text
    assert facedis("models", "card", "-o", tmp_path / "card.md").code == 0
    assert (tmp_path / "card.md").read_text() == text
    verified = facedis("models", "verify")
    assert verified.code == 0 and "bundled: intact" in verified.out


def test_the_bundled_model_answers_where_nothing_was_trained(facedis, inside, pictures, tmp_path):
    x1, x2 = pictures / "person0154_happiness_0.webp", pictures / "person0155_anger_0.webp"
    done = facedis("similarity", x1, x2)
    assert done.code == 0 and "Model: bundled" in done.out
    assert facedis("similarity", x1, x2, "--model", "bundled", "--json").record["reference"]["n"] == 32
    done = facedis("swap", x1, x2)
    assert done.code == 0 and "Model: bundled" in done.out
    assert facedis("swap", x1, "--target-expression", "fear", "-q").code == 0
    assert facedis("embed", pictures, "-o", tmp_path / "codes.npz", "--json").record["model"] == "bundled"
    refused(facedis("eval"), "the faces that bundled was trained on are not here", "--faces")


def test_a_packed_model_is_measured_beside_where_one_stands(facedis, inside, world, model, tmp_path):
    before = sorted(model.iterdir())
    words = (
        "--faces",
        world / "faces.h5",
        "--split",
        "test",
        "--probes",
        "linear",
        "--bootstrap-samples",
        "100",
        "--json",
    )
    found = facedis("eval", *words).record
    assert found["model"] == "bundled" and found["output"] == "bundled-eval-test-faces"
    assert found["leakage"]["expression_in_rest"]["linear"]["n"] == found["n"]
    assert found["leakage"]["adversary"] is None and "has no adversary" in found["reasons"]["leakage.adversary"]
    assert (tmp_path / "bundled-eval-test-faces" / "result.json").exists()
    assert sorted(model.iterdir()) == before
    assert facedis("eval", *words[:-1]).code == 0
    own = json.loads((model.parent / "result.json").read_text())
    assert found["task"]["nll"]["value"] == pytest.approx(own["task"]["nll"]["value"], abs=0.01)


def test_run_is_another_word_for_model(facedis, here, model):
    one, two = (facedis("models", "show", "runs/one", "--json").record for _ in range(2))
    assert one["parameters"] == two["parameters"] and not one["packed"]
    words = ("embed", "faces.h5", "--split", "test", "--json", "--overwrite")
    assert facedis(*words, "--run", model).record["model"] == str(model)


def test_a_training_may_begin_with_the_trunk_of_a_packed_model(facedis, here, model, tmp_path):
    quick = ("--epochs", "1", "--image-size", "32", "--trunk", "mobilenet_v3_large", "--finetune", "none", "-q")
    assert facedis("train", "--weights", model, "--runs", tmp_path, "--name", "x", *quick).code == 0
    info = json.loads((tmp_path / "x" / "run.json").read_text())
    assert info["pretrained"] is True


def test_what_cannot_be_done(facedis, here, model, tmp_path):
    for words, expected in (
        (("melt",), ("no such command 'melt'",)),
        (("list", "x"), ("unexpected extra argument",)),
        (("pack", "runs/one"), ("missing option", "-o")),
        (("pack", model, "-o", tmp_path / "x"), ("already a packed model",)),
        (("pack", "runs/one", "-o", tmp_path / "x", "--result", tmp_path / "gone.json"), ("gone.json",)),
        (("pack", "runs/one", "-o", tmp_path / "x", "--result", "runs/one/result.json"), ("kind 'training'",)),
        (("push", model), ("missing argument",)),
        (("push", "runs/one", "me/x"), ("runs/one", "manifest.json")),
        (("show", "one", "two"), ("unexpected extra argument",)),
        (("show", "-o", "x"), ("no such option: -o",)),
        (("verify", "--name", "x"), ("no such option: --name",)),
        (("verify", "runs/one"), ("not a packed model",)),
        (("show", "gone"), ("no run folder gone",)),
    ):
        done = facedis("models", *words)
        refused(done, *expected)
    assert not list(tmp_path.iterdir())


def test_a_result_of_another_model_is_refused(facedis, here, model, tmp_path):
    found = json.loads((model.parent / "result.json").read_text())
    (tmp_path / "r.json").write_text(json.dumps(found | {"fingerprint": "0" * 64}))
    words = ("models", "pack", "runs/one", "-o", tmp_path / "x", "--result", tmp_path / "r.json")
    refused(facedis(*words), "is a result of", "not of runs/one")


def test_a_damaged_model_ends_with_2(facedis, model, tmp_path):
    import shutil

    shutil.copytree(model, tmp_path / "m")
    (tmp_path / "m" / "card.md").write_text("the best model of all" * 1000)
    done = facedis("models", "verify", tmp_path / "m")
    refused(done, "card.md differs from the packed file")
    assert "damaged" in done.out
    (tmp_path / "m" / "model.json").write_text("{}")
    refused(facedis("models", "show", tmp_path / "m"), "another format")
