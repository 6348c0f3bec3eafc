"""A packed model through huggingface_hub itself, against a hub on the loopback interface."""

import json
import os
import subprocess
import sys

import pytest

from facedis.errors import InputError, RunError
from facedis.model.storage.hub import fetch_model, push_model, upload_files
from tests.tasks.hub_server import serving
from tests.tasks.packed_models import packed

SCRIPT = """
import os, json, sys
from facedis.model.storage import hub
from facedis.errors import FacedisError
said = {"pushed": hub.push_model(__import__("pathlib").Path(sys.argv[1]), "me/demo")}
said["first"] = str(hub.fetch_model("hf:me/demo"))
os.environ["FACEDIS_OFFLINE"] = "1"
said["offline"] = str(hub.fetch_model("hf:me/demo"))
for which in ("hf:me/gone",):
    for offline in ("1", "0"):
        os.environ["FACEDIS_OFFLINE"] = offline
        try:
            hub.fetch_model(which)
        except FacedisError as error:
            said["gone" + offline] = str(error)
print(json.dumps(said))
"""


def test_pushed_and_fetched_again(tmp_path, monkeypatch):
    pytest.importorskip("huggingface_hub")
    _, folder = packed(tmp_path, monkeypatch)
    with serving() as (address, files, fetched):
        own = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "hf"), "HF_TOKEN": "hf_none", "NO_PROXY": "127.0.0.1"}
        words = [sys.executable, "-c", SCRIPT, str(folder)]
        done = subprocess.run(words, capture_output=True, text=True, env=os.environ | own, timeout=120)
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout.splitlines()[-1])
    assert files["model.safetensors"] == (folder / "model.safetensors").read_bytes()
    assert files["README.md"].decode().startswith("---\nlicense: mit\n")
    assert files["README.md"].decode().endswith("# demo\n")
    assert said["pushed"].endswith("a" * 40)
    assert said["first"] == said["offline"] and fetched.count("model.safetensors") == 1
    assert "not in the cache, and downloading is off" in said["gone1"]
    assert "is not on the hub" in said["gone0"]


def test_only_whole_models_are_pushed(tmp_path, monkeypatch):
    _, folder = packed(tmp_path, monkeypatch)
    assert {"manifest.json", "model.json", "README.md", "face.png"} <= upload_files(folder).keys()
    (folder / "card.md").write_text("better than it is")
    with pytest.raises(RunError, match=r"card\.md differs from the packed file"):
        push_model(folder, "me/demo")


@pytest.mark.parametrize("name", ["hf:demo", "hf:", "hf:a/b/c", "hf:../x/y"])
def test_names_that_are_none(name, tmp_path):
    with pytest.raises(InputError, match="not the name of a model on a hub"):
        fetch_model(name)
    with pytest.raises(InputError, match="not the name of a repository"):
        push_model(tmp_path, name.removeprefix("hf:"))
