"""`facedis embed` and the encoder of scikit-learn: both give the same codes."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import facedis as package
from facedis.errors import ConfigError, InputError
from facedis.faces.cache.cache import FacesCache
from facedis.model.storage.checkpoint import load_run
from facedis.tasks.encoding.encode import encode
from facedis.tasks.encoding.sklearn import ExpressionEncoder
from tests.commands.test_bad_input import refused


@pytest.fixture
def encoder(world):
    return ExpressionEncoder(world / "runs" / "one", device="cpu")


def test_the_command_writes_the_codes_of_a_cache(here, tmp_path):
    words = [
        "embed",
        "faces.h5",
        "-o",
        tmp_path / "codes.npz",
        "--code",
        "all",
        "--run",
        "runs/one",
        "--batch-size",
        "30",
    ]
    done = subprocess.run([sys.executable, "-m", "facedis", *words], capture_output=True, text=True, check=True)
    assert "codes.npz" in done.stdout.replace("\n", "") and "embedding" in done.stderr
    with FacesCache.open("faces.h5") as cache, np.load(tmp_path / "codes.npz") as arrays:
        rows = cache.rows(labelled=False)
        table = encode(load_run("runs/one"), cache, rows, 30, "cpu")
        for name, column in (("expression", "expression_code"), ("rest", "rest_code"), ("trunk", "trunk_features")):
            np.testing.assert_allclose(arrays[column], getattr(table, name), atol=1e-5)
        assert arrays["row"].tolist() == rows.tolist()
        assert arrays["image"].tolist() == cache.sources[rows].tolist()
        assert arrays["identity"].tolist() == cache.identities[rows].tolist()
        assert arrays["split"].tolist() == cache.splits[rows].tolist()
        assert arrays["expression"].tolist() == [cache.info.classes[label] for label in cache.labels[rows]]


def test_a_split_a_folder_and_a_csv(facedis, here, pictures, tmp_path):
    record = facedis("embed", "-o", tmp_path / "val.csv", "--split", "val", "--json").record
    assert (record["kind"], record["n"], record["rows"], record["left_out"]) == ("embedding", 32, 32, 0)
    assert record["codes"] == {"expression_code": 64, "rest_code": 64}
    assert len((tmp_path / "val.csv").read_text().splitlines()) == 33
    (tmp_path / "in").mkdir()
    for name in ("person0154_happiness_0.webp", "person0155_anger_0.webp"):
        (tmp_path / "in" / name).write_bytes((pictures / name).read_bytes())
    (tmp_path / "in" / "junk.png").write_text("no picture")
    done = facedis("embed", tmp_path / "in", "-o", tmp_path / "in.npz", "--code", "expression")
    assert done.code == 0 and "junk.png: it is not an image" in done.err + done.out
    with np.load(tmp_path / "in.npz") as arrays:
        assert arrays["image"].tolist() == ["person0154_happiness_0.webp", "person0155_anger_0.webp"]
        assert arrays["expression_code"].shape == (2, 64) and "rest_code" not in arrays
    refused(facedis("embed", tmp_path / "in", "-o", tmp_path / "in.npz"), "exists already", "--overwrite")
    assert facedis("embed", tmp_path / "in", "-o", tmp_path / "in.npz", "--overwrite", "-q").code == 0
    for name in ("person0154_happiness_0.webp", "person0155_anger_0.webp"):
        (tmp_path / "in" / name).unlink()
    refused(facedis("embed", tmp_path / "in", "-o", tmp_path / "none.npz"), "none of the 1 images", "junk.png")
    assert not (tmp_path / "none.npz").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("faces.h5", "-o", "codes.txt"), ("codes.txt", ".parquet, .npz, .csv")),
        (("faces.h5", "--code", "face"), ("--code", "'face' is not one of")),
        (("faces.h5", "--split", "some"), ("--split", "'some' is not one of")),
        (("faces.h5", "--batch-size", "0"), ("--batch-size", "greater than or equal to 1")),
        (("faces.h5", "--crop", "none"), ("--crop has no effect for a faces cache",)),
        ((".", "--split", "val"), ("--split has no effect for a folder",)),
        (("gone.h5",), ("no faces cache gone.h5",)),
        (("faces.h5", "--run", "gone"), ("no run folder gone",)),
    ],
)
def test_invalid_options_are_refused(facedis, here, words, expected):
    refused(facedis("embed", *words), *expected)
    assert not list(here.glob("codes.*"))


def test_a_baseline_has_no_rest_code(facedis, here, pictures, tmp_path):
    words = ("--preset", "small", "--trunk", "mobilenet_v3_large", "--image-size", "32", "--epochs", "1", "--baseline")
    assert facedis("train", *words, "--name", "base", "--runs", tmp_path, "-q").code == 0
    base = ("--run", tmp_path / "base")
    refused(facedis("embed", "-o", tmp_path / "c.npz", *base), "without a rest code", "--code")
    assert facedis("embed", "-o", tmp_path / "c.npz", *base, "--code", "expression", "-q").code == 0
    image = next(pictures.glob("*.webp"))
    refused(facedis("similarity", image, pictures, "--code", "rest", *base), "without a rest code", "--code")
    record = facedis(
        "similarity", "--faces", "faces.h5", "--sample", "1", "--bootstrap-samples", "100", *base, "--json"
    ).record
    assert record["pairs"][0]["rest"] is None and "rest" not in record["auc"]["same_person"]
    assert facedis("similarity", image, image, *base).code == 0


def test_the_encoder_gives_the_codes_of_the_command(encoder, facedis, here, pictures, tmp_path):
    paths = sorted(pictures.glob("person0154_*_0.webp"))[:3]
    (tmp_path / "in").mkdir()
    for path in paths:
        (tmp_path / "in" / path.name).write_bytes(path.read_bytes())
    facedis("embed", tmp_path / "in", "-o", tmp_path / "c.npz", "--run", "runs/one", "-q")
    with np.load(tmp_path / "c.npz") as arrays:
        np.testing.assert_allclose(encoder.transform(paths), arrays["expression_code"], atol=1e-6)
    assert package.ExpressionEncoder is ExpressionEncoder


def test_files_pictures_and_arrays_give_the_same_codes(encoder, pictures):
    paths = sorted(pictures.glob("person0154_*_0.webp"))[:3]
    expected = encoder.transform(paths)
    images = [Image.open(path) for path in paths]
    arrays = [np.array(image.convert("RGB")) for image in images]
    assert expected.shape == (3, 64) and expected.dtype == np.float32
    for same in ([*map(str, paths)], images, arrays, np.stack(arrays), [paths[0], images[1], arrays[2]]):
        np.testing.assert_allclose(encoder.transform(same), expected, atol=1e-6)
    assert encoder.transform([]).shape == (0, 64)
    both = ExpressionEncoder(encoder.model, code="both").transform(paths)
    np.testing.assert_allclose(both[:, :64], expected, atol=1e-6)
    np.testing.assert_allclose(both[:, 64:], ExpressionEncoder(encoder.model, code="rest").transform(paths), atol=1e-6)
    assert ExpressionEncoder(encoder.model, code="trunk").transform(paths).shape[1] > 64
    names = ExpressionEncoder(encoder.model, code="both").get_feature_names_out()
    assert (names[0], names[64], len(names)) == ("expression_code_0", "rest_code_0", 128)


def test_the_encoder_is_a_scikit_learn_transformer(encoder, pictures):
    import pickle

    paths = sorted(pictures.glob("person015[45]_*_1.webp"))
    labels = [path.name.split("_")[1] in ("happiness", "surprise") for path in paths]
    assert clone(encoder).get_params() == encoder.get_params()
    assert clone(encoder).set_params(code="both").code == "both"
    pipeline = make_pipeline(encoder, LogisticRegression()).fit(paths, labels)
    assert pipeline.predict(paths).shape == (len(paths),)
    copy = pickle.loads(pickle.dumps(encoder))
    assert len(pickle.dumps(encoder)) < 2_000
    np.testing.assert_array_equal(copy.transform(paths[:2]), encoder.fit().transform(paths[:2]))


def test_images_without_a_face_raise_or_give_nan(encoder, pictures, tmp_path):
    good = next(pictures.glob("*.webp"))
    wall = Image.new("RGB", (80, 80), "teal")
    (tmp_path / "junk.jpg").write_text("no picture")
    with pytest.raises(InputError, match=r"cannot use image \[1\]: no face was found"):
        encoder.transform([good, wall])
    with pytest.raises(InputError, match=r"the image .*junk.jpg: it is not an image"):
        encoder.transform([good, tmp_path / "junk.jpg"])
    marked = ExpressionEncoder(encoder.model, no_face="nan").transform([good, wall, tmp_path / "junk.jpg"])
    assert np.isnan(marked).all(axis=1).tolist() == [False, True, True]
    whole = ExpressionEncoder(encoder.model, no_face="full-image").transform([wall])
    assert np.isfinite(whole).all()
    with pytest.raises(ConfigError, match="no_face is 'zero'"):
        ExpressionEncoder(encoder.model, no_face="zero").transform([good])


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        ("one.jpg", "put it into a list"),
        (np.zeros((40, 40, 3), np.uint8), "put it into a list"),
        ([np.zeros((40, 40, 3), np.float32)], r"image \[0\]: it is an array of 40 x 40 x 3 float32"),
        ([np.zeros((40, 40, 2), np.uint8)], r"image \[0\]: it is an array of 40 x 40 x 2 uint8"),
        ([np.zeros((9, 9, 3), np.uint8)], r"image \[0\]: 9 x 9 pixels"),
        ([None], r"image \[0\] is of type NoneType"),
    ],
)
def test_anything_but_a_list_of_images_is_refused(encoder, images, expected):
    with pytest.raises(InputError, match=expected):
        encoder.transform(images)
