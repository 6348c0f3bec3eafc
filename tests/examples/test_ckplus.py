"""The commands of docs/swaps.md from align to swap-eval, on a tree in the layout of CK+."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from facedis.faces.cache.cache import FacesCache
from facedis.synthetic import bundled

SCRIPT = Path(__file__).parents[2] / "examples" / "ckplus_tree.py"
#: Number of identities; the first of ten folds has two of them.
PEOPLE = 11
QUICK = "--preset small --trunk mobilenet_v3_large --image-size 32 --epochs 1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Working folder of the commands, with the tree."""
    folder = tmp_path_factory.mktemp("ckplus")
    with zipfile.ZipFile(bundled.ARCHIVE) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith("grid/")])
    words = [sys.executable, SCRIPT, "grid", "ck+", "--people", str(PEOPLE)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == f"ck+: {PEOPLE} people\n"
    return folder


def run(folder, words):
    environment = os.environ | {"FACEDIS_HOME": str(folder / "home"), "FACEDIS_OFFLINE": "1"}
    line = [sys.executable, "-m", "facedis", *words.split()]
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def test_the_tree_has_the_layout_of_ckplus(folder):
    frames = sorted((folder / "ck+/cohn-kanade-images/S003/005").iterdir())
    assert [path.name for path in frames][::5] == ["S003_005_00000001.png", "S003_005_00000006.png"]
    label = folder / "ck+/Emotion/S003/005/S003_005_00000006_emotion.txt"
    assert label.read_text() == "   5.0000000e+00\n"
    with Image.open(frames[0]) as image:
        assert image.mode == "L"


def test_from_align_to_swap_eval(folder):
    run(folder, "align ck+ --dataset ckplus:fold=0 -o ck.h5 -q")
    with FacesCache.open(folder / "ck.h5") as cache:
        people = {split: set(cache.identities[cache.rows(split)]) for split in ("train", "val", "test")}
        assert cache.info.dataset == "ckplus" and cache.grey
    assert people["test"] == {"S001", "S011"} and people["val"] == {"S002"} and len(people["train"]) == PEOPLE - 3
    assert not (people["train"] & people["test"]) and not (people["val"] & people["test"])
    run(folder, f"train --faces ck.h5 --name ck --decoder detached {QUICK} -q")
    run(folder, f"train --faces ck.h5 --name judge --baseline --decoder none --seed 1 {QUICK} -q")
    neutral, surprise = "001_00000001.png", "007_00000006.png"
    images = f"ck+/cohn-kanade-images/S001/001/S001_{neutral} ck+/cohn-kanade-images/S011/007/S011_{surprise}"
    swapped = json.loads(run(folder, f"swap {images} --run runs/ck --json").stdout)
    assert swapped["cosines"]["x1_x2"].keys() == {"expression", "rest"}
    assert (folder / "swap" / "x2_swapped.png").is_file()
    words = "swap-eval --run runs/ck --expression-model runs/judge --sheet sheet.png"
    words += " --bootstrap-samples 100 --pairs 60 --json"
    judged = json.loads(run(folder, words).stdout)
    assert judged["split"] == "test" and judged["dataset"] == "ckplus"
    assert judged["pairs"] == {"across": 60, "within": 60}
    assert judged["transfer"]["across"]["swap"]["chance"] == pytest.approx(1 / 8)
    # Within a sequence the other image is the ground truth; across identities there is none.
    assert 0 < judged["ssim"]["within"]["swap"]["value"] < judged["ssim"]["within"]["copying"]["value"] <= 1
    assert judged["ssim"]["across"] is None
    assert (folder / "sheet.png").is_file()
    assert json.loads((folder / "runs/ck/swap-eval-test/result.json").read_text()) == judged
