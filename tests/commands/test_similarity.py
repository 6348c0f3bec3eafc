"""All modes of `facedis similarity`, on the rendered faces."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.chromium import LOOK, ask, needs_chromium
from tests.commands.test_bad_input import refused

CODES = ("expression", "rest", "trunk")


@pytest.fixture(scope="module")
def run(world, tmp_path_factory):
    """A run trained for three epochs; after one epoch the codes of different faces hardly differ."""
    from facedis.tasks.experiments.training import TrainOptions, train

    options = TrainOptions(
        preset="small",
        folder=tmp_path_factory.mktemp("runs"),
        name="alike",
        settings={"image_size": 32, "decoder": "none"} | {"epochs": 3, "batch_size": 16},
    )
    train(world / "faces.h5", options)
    return options.folder / "alike"


@pytest.fixture(scope="module")
def sampled(world, run):
    """The HTML page, the CSV file and the record of random pairs, made in a subprocess."""
    words = f"similarity --faces faces.h5 --sample 6 --bootstrap-samples 100 --run {run} --json"
    words += " --html page.html --csv pairs.csv"
    done = subprocess.run(
        [sys.executable, "-m", "facedis", *words.split()], cwd=world, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return world / "page.html", world / "pairs.csv", json.loads(done.stdout)


def test_predictions_equal_those_of_predict(facedis, here, pictures):
    files = [pictures / f"person0154_happiness_{number}.webp" for number in (0, 1)]
    predicted = facedis("similarity", *files, "--json").record["pairs"][0]["predicted"]
    lines = facedis("predict", *files, "--json").out.splitlines()
    for one, line in zip(predicted, lines, strict=True):
        face = json.loads(line)["faces"][0]
        assert one["expression"] == face["expression"]
        assert one["probability"] == pytest.approx(face["confidence"], abs=1e-4)


def test_a_pair_has_percentiles_among_pairs_of_people(facedis, here, pictures):
    x1, x2 = pictures / "person0154_happiness_0.webp", pictures / "person0154_happiness_1.webp"
    record = facedis("similarity", x1, x2, "--json").record
    assert record["mode"] == "pair" and record["notes"] == []
    known = record["reference"]
    assert (known["split"], known["false_accepts"]) == ("val", 0.05)
    for code in CODES:
        place = record["pairs"][0][code]
        for attribute in ("expression", "person"):
            found = known["codes"][code][f"same_{attribute}"]
            assert 0 <= found["auc"]["value"] <= 1  # of two people there is no interval
            assert place[f"same_{attribute}"] == (place["cosine"] > found["threshold"])
            assert 0 <= found["accepted"] <= 1
        assert 0 <= place["percentile_same_person"] <= 100 and 0 <= place["percentile_different_people"] <= 100
    loose = facedis("similarity", x1, x2, "--far", "0.5", "--json").record["reference"]
    assert all(
        loose["codes"][code]["same_person"]["threshold"] <= known["codes"][code]["same_person"]["threshold"]
        for code in CODES
    )
    assert "expression" in facedis("similarity", x1, x2).out


def test_an_old_reference_file_causes_a_note(facedis, here, pictures, tmp_path):
    import shutil

    shutil.copytree(here / "runs" / "one", tmp_path / "old")
    reference = json.loads((tmp_path / "old" / "reference.json").read_text())
    for code in CODES:
        reference[code] = {key: reference[code][key] for key in ("same", "different")}
    (tmp_path / "old" / "reference.json").write_text(json.dumps(reference))
    x1 = pictures / "person0154_happiness_0.webp"
    done = facedis("similarity", x1, x1, "--run", tmp_path / "old", "--json")
    place, known = done.record["pairs"][0]["expression"], done.record["reference"]["codes"]["expression"]
    assert place["percentile_same"] > 99 and place["same_expression"] is True
    assert place["percentile_same_person"] is None and place["same_person"] is None
    assert known["same_expression"]["auc"] is None and known["same_person"] is None
    assert "older facedis" in done.record["notes"][0]
    (tmp_path / "old" / "reference.json").unlink()
    done = facedis("similarity", x1, x1, "--run", tmp_path / "old")
    assert done.code == 0 and "no val split" in " ".join(done.out.split())


def test_ranking_finds_the_query_in_a_folder_a_cache_and_a_file_of_codes(facedis, here, run, pictures, tmp_path):
    face = pictures / "person0155_anger_0.webp"
    folder = facedis(
        "similarity", face, pictures, "--top-k", "4", "--html", tmp_path / "rank.html", "--run", run, "--json"
    ).record
    assert folder["mode"] == "ranking" and folder["n"] > 100
    first = folder["pairs"][0]
    assert (first["rank"], first["image2"], first["labels"]["identity"]) == (1, str(face), "person0155")
    assert first["expression"]["cosine"] == pytest.approx(1, abs=1e-5)
    values = [pair["expression"]["cosine"] for pair in folder["pairs"]]
    assert len(values) == 4 and values == sorted(values, reverse=True)
    assert (tmp_path / "rank.html").read_text().count("data:image/jpeg") == 5  # the face itself and four found
    cache = facedis("similarity", face, "--faces", "faces.h5", "--top-k", "4", "--run", run, "--json").record
    assert cache["pairs"][0]["image2"].endswith("person0155_anger_0.webp")
    assert facedis("embed", "faces.h5", "-o", tmp_path / "codes.npz", "--code", "all", "--run", run, "-q").code == 0
    codes = facedis("similarity", face, tmp_path / "codes.npz", "--top-k", "4", "--run", run, "--json").record
    assert [pair["image2"] for pair in codes["pairs"]] == [pair["image2"] for pair in cache["pairs"]]
    for ours, theirs in zip(codes["pairs"], cache["pairs"], strict=True):
        assert all(ours[code]["cosine"] == pytest.approx(theirs[code]["cosine"], abs=1e-4) for code in CODES)
    by_trunk = facedis("similarity", face, tmp_path / "codes.npz", "--code", "trunk", "--run", run, "--json").record
    assert len(by_trunk["pairs"]) == 10 and by_trunk["by"] == "trunk"
    shown = facedis("similarity", face, pictures, "--top-k", "3", "--run", run)
    assert shown.code == 0 and "Most similar to person0155_anger_0.webp" in shown.out


def test_ranking_leaves_out_images_without_a_face(facedis, here, pictures, tmp_path):
    face = pictures / "person0155_anger_0.webp"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.webp").write_bytes(face.read_bytes())
    (tmp_path / "in" / "junk.jpg").write_text("no picture")
    Image.new("RGB", (90, 90), "teal").save(tmp_path / "in" / "wall.png")
    done = facedis("similarity", face, tmp_path / "in", "--json")
    assert (done.record["n"], done.record["left_out"]) == (1, 2)
    assert [problem["image"] for problem in done.record["problems"]] == ["junk.jpg", "wall.png"]
    (tmp_path / "in" / "a.webp").unlink()
    refused(facedis("similarity", face, tmp_path / "in"), "none of the 2 images", "junk.jpg")


def test_unusable_rows_of_a_list_are_reported_and_skipped(facedis, here, pictures, tmp_path):
    rows = [
        ("person0154_happiness_0.webp", "person0155_happiness_0.webp", "1", "first"),
        ("person0154_happiness_0.webp", "gone.webp", "1", ""),
        ("junk.jpg", "wall.png", "0", ""),
        ("person0154_happiness_0.webp", "", "0", ""),
        ("person0154_anger_0.webp", str(pictures / "person0155_neutral_0.webp"), "0", "a, b"),
    ]
    for name in {name for row in rows for name in row[:2] if name.startswith("person")}:
        (tmp_path / name).write_bytes((pictures / name).read_bytes())
    (tmp_path / "junk.jpg").write_text("no picture")
    Image.new("RGB", (90, 90), "teal").save(tmp_path / "wall.png")
    with (tmp_path / "pairs.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image1", "image2", "same", "note"), *rows])
    out = tmp_path / "out.csv"
    done = facedis("similarity", "--pairs", tmp_path / "pairs.csv", "--csv", out, "--html", tmp_path / "p.html")
    assert done.code == 0
    for line, words in ((3, "gone.webp: there is no such file"), (4, "junk.jpg: it is not"), (4, "wall.png: no face")):
        assert f"line {line}: {words}" in done.err
    assert "line 5: it names only one image" in done.err
    with out.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [(row["line"], row["same"], row["note"]) for row in found] == [("2", "1", "first"), ("6", "0", "a, b")]
    assert all(-1 <= float(row["expression_cosine"]) <= 1 for row in found)
    record = facedis("similarity", "--pairs", tmp_path / "pairs.csv", "--json").record
    assert record["left_out"] == 3 and {problem["line"] for problem in record["problems"]} == {3, 4, 5}
    assert record["auc"]["same"]["expression"]["n"] == 2
    (tmp_path / "pairs.csv").write_text("image1,image2\ngone.jpg,junk.jpg\n")
    refused(facedis("similarity", "--pairs", tmp_path / "pairs.csv"), "no pair", "gone.jpg")


def test_an_lfw_list_finds_the_images_in_their_folders(facedis, here, pictures, tmp_path):
    for person, number, source in (
        ("Ann_A", 1, "person0154_happiness_0"),
        ("Ann_A", 2, "person0154_anger_0"),
        ("Bo_B", 1, "person0155_anger_0"),
    ):
        place = tmp_path / "lfw" / person / f"{person}_{number:04}.webp"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes((pictures / f"{source}.webp").read_bytes())
    (tmp_path / "pairs.txt").write_text("1\t1\nAnn_A\t1\t2\nAnn_A\t2\tBo_B\t1\nBo_B\t1\t7\nnonsense\n")
    record = facedis("similarity", "--pairs", tmp_path / "pairs.txt", "--json").record
    assert [(pair["line"], pair["labels"]["genuine"]) for pair in record["pairs"]] == [(2, "1"), (3, "0")]
    assert record["pairs"][0]["image2"] == "lfw/Ann_A/Ann_A_0002.webp"
    assert [(problem["line"], problem["image"]) for problem in record["problems"]] == [(4, "Bo_B_0007.jpg"), (5, "")]
    elsewhere = tmp_path / "list.txt"
    elsewhere.write_bytes((tmp_path / "pairs.txt").read_bytes())
    assert facedis("similarity", "--pairs", elsewhere, "--images", tmp_path / "lfw", "--json").record["n"] == 2


def test_random_pairs_cover_the_four_kinds(sampled):
    _, table, record = sampled
    assert record["mode"] == "sample" and record["expressions_from"] == "dataset"
    assert len(record["kinds"]) == 4 and len(record["pairs"]) == 24
    for pair in record["pairs"]:
        labels = pair["labels"]
        same = labels["expression1"] == labels["expression2"], labels["identity1"] == labels["identity2"]
        assert same == (pair["kind"].startswith("same_expression"), pair["kind"].endswith("same_person"))
        assert pair["image1"] != pair["image2"]
    for kind in record["kinds"].values():
        for code in CODES:
            spread = kind[code]["quantiles"]
            assert -1 <= spread["5"] <= spread["50"] <= spread["95"] <= 1
            assert spread["5"] <= kind[code]["mean"] + 1e-9 and kind[code]["n"] > 6
    for figures in record["auc"].values():
        assert all(figures[code]["chance"] == 0.5 for code in CODES)
        assert all(figures[code]["low"] <= figures[code]["value"] <= figures[code]["high"] for code in CODES)
    difference = record["difference"]["same_expression"]["expression"]
    auc = record["auc"]["same_expression"]
    assert difference["value"] == pytest.approx(auc["expression"]["value"] - auc["trunk"]["value"])
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image1"] for row in rows] == [pair["image1"] for pair in record["pairs"]]


def test_faces_without_expression_labels_use_the_predictions(facedis, here, tmp_path, pictures):
    import shutil

    import h5py

    shutil.copy("faces.h5", tmp_path / "f.h5")
    with h5py.File(tmp_path / "f.h5", "r+") as file:
        file["label"][:] = -1
    words = ("--faces", tmp_path / "f.h5", "--sample", "2", "--bootstrap-samples", "100", "--split", "val", "--json")
    record = facedis("similarity", *words).record
    assert record["expressions_from"] == "model" and "model's predictions are used" in record["notes"][0]
    assert record["n"] == 32


SORT_AND_FILTER = """
const rows = () => [...document.querySelectorAll("#pairs tbody tr")];
const shown = () => rows().filter(row => !row.hidden && row.getBoundingClientRect().height > 0);
const cosines = () => rows().map(row => Number(row.dataset.expression));
const head = document.querySelector('#pairs th[data-key="expression"]');
head.querySelector("button").click();
const descending = cosines(), state = head.getAttribute("aria-sort");
head.querySelector("button").click();
const ascending = cosines();
const choose = (id, value, kind) => {
  const each = document.querySelector(id);
  each.value = value;
  each.dispatchEvent(new Event(kind));
};
choose('select.filter[data-key="kind"]', "same expression, same person", "change");
const kind = shown().map(row => row.dataset.kind), count = document.getElementById("count").textContent;
choose('select.filter[data-key="kind"]', "", "change");
choose("#find", "happiness", "input");
const words = shown().map(row => row.textContent.includes("happiness"));
choose("#find", "", "input");
choose("#sort", "first", "change"); choose("#order", "ascending", "change");
const order = rows().map(row => Number(row.dataset.first));
return {descending, ascending, state, kind, count, words, all: shown().length, order};
"""


@needs_chromium
def test_the_page_sorts_and_filters_in_a_browser(sampled, tmp_path):
    page, _, record = sampled
    found = ask(page, SORT_AND_FILTER, tmp_path)
    values = sorted(round(pair["expression"]["cosine"], 6) for pair in record["pairs"])
    assert found["ascending"] == values and found["descending"] == values[::-1] and found["state"] == "descending"
    assert found["kind"] == ["same expression, same person"] * 6 and found["count"] == "6 of 24"
    assert found["words"] and all(found["words"]) and len(found["words"]) < 24
    assert found["all"] == 24 and found["order"] == list(range(1, 25))


@needs_chromium
@pytest.mark.parametrize("width", [1200, 390])
def test_the_page_shows_every_face_and_fits_the_window(sampled, tmp_path, width):
    found = ask(sampled[0], LOOK, tmp_path, width)
    assert found["pictures"] == 48 and found["bad"] == 0 and found["wide"] <= 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), ("nothing to compare", "--pairs FILE")),
        (("X",), ("nothing to compare",)),
        (("--sample", "5"), ("--sample needs a faces cache", "--faces")),
        (("--faces", "faces.h5", "--sample", "0"), ("--sample is 0",)),
        (("--faces", "gone.h5", "--sample", "5"), ("no faces cache gone.h5",)),
        (("X", "X", "--top-k", "3"), ("--top-k has no effect here",)),
        (("X", "X", "--seed", "3"), ("--seed has no effect here",)),
        (("X", "X", "--far", "1.5"), ("--far is 1.5",)),
        (("X", "X", "--html", "page.txt"), ("does not end in .html",)),
        (("X", "X", "--csv", "page.html"), ("does not end in .csv",)),
        (("X", "--pairs", "p.csv"), ("--pairs takes its images from elsewhere",)),
        (("--pairs", "gone.csv"), ("no list of pairs gone.csv",)),
        (("X", ".", "--top-k", "0"), ("--top-k is 0",)),
        (("X", "gone-folder"), ("gone-folder",)),
        (("X", "gone.npz"), ("gone.npz", "facedis embed")),
        (("X", "codes.csv"), ("not a searchable file of codes",)),
    ],
)
def test_invalid_options_are_refused(facedis, here, pictures, words, expected):
    image = pictures / "person0154_happiness_0.webp"
    refused(facedis("similarity", *(image if word == "X" else word for word in words)), *expected)


@pytest.mark.parametrize(
    ("words", "choices"),
    [
        (("--faces", "faces.h5", "--sample", "5", "--split", "some"), ("'some'", "'train'", "'all'")),
        (("X", ".", "--code", "face"), ("'face'", "'expression'", "'trunk'")),
    ],
)
def test_unknown_choices_are_refused(facedis, here, pictures, words, choices):
    image = pictures / "person0154_happiness_0.webp"
    done = facedis("similarity", *(image if word == "X" else word for word in words))
    assert done.code == 2 and done.out == "" and all(choice in done.err for choice in choices)


def test_codes_of_another_model_are_refused(facedis, here, pictures, tmp_path):
    from facedis.tasks.encoding.codes_file import codes_writer

    with codes_writer(tmp_path / "codes.npz", {"model": "runs/other", "fingerprint": "0"}) as writer:
        ids = {name: np.array(["a"]) for name in ("image", "expression", "identity", "split")} | {"row": np.array([0])}
        writer.add(ids, {"expression": np.ones((1, 4), np.float32)})
    image = pictures / "person0154_happiness_0.webp"
    refused(facedis("similarity", image, tmp_path / "codes.npz"), "another model", "runs/other")
