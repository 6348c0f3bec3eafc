"""`facedis predict`: every face of every picture, and one line for what cannot be used."""

import csv
import io
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import facedis as package
from facedis.faces.cache.cache import FacesCache
from facedis.model.storage.checkpoint import load_run
from facedis.tasks.encoding.encode import encode_faces
from facedis.tasks.encoding.temperature import CALIBRATION, Calibration, calibrate
from tests.commands.test_bad_input import refused
from tests.commands.test_odd_images import KINDS, overlap

PEOPLE = ("person0154", "person0155")


@pytest.fixture(scope="module")
def photos(pictures, tmp_path_factory):
    """A folder with one face, one with two, and a wall; one of them in a folder below."""
    folder = tmp_path_factory.mktemp("photos")
    faces = [Image.open(pictures / f"{name}_happiness_0.webp").convert("RGB") for name in PEOPLE]
    faces[0].save(folder / "one.png")
    (folder / "below").mkdir()
    width, height = faces[0].size
    both = Image.new("RGB", (3 * width, 2 * height), "grey")
    both.paste(faces[0], (0, 0))
    both.paste(faces[1].resize((2 * width, 2 * height)), (width, 0))
    both.save(folder / "below" / "two.png")
    Image.new("RGB", (90, 80), "teal").save(folder / "wall.png")
    return folder


def predictions(done):
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def test_every_face_of_a_folder_is_predicted(facedis, here, photos):
    found = {line["file"]: line for line in predictions(facedis("predict", photos, "--json"))}
    assert all(line["model"].endswith("one") for line in found.values())
    assert set(found) == {str(photos / name) for name in ("one.png", "wall.png", "below/two.png")}
    two = found[str(photos / "below" / "two.png")]
    large, small = two["faces"]
    assert (large["box"][2] - large["box"][0]) > 1.5 * (small["box"][2] - small["box"][0])
    assert small["box"][2] < two["width"] / 3 < large["box"][0]
    for face in two["faces"]:
        chances = face["probabilities"]
        assert sum(chances.values()) == pytest.approx(1, abs=1e-4)
        assert next(iter(chances.items())) == (face["expression"], face["confidence"])
        assert face["confidence"] == max(chances.values()) and 0.7 < face["detection"] <= 1
    wall = found[str(photos / "wall.png")]
    assert wall["faces"] == [] and "no face" in wall["problem"]


def test_the_numbers_are_those_of_the_model_at_its_temperature(facedis, here, tmp_path):
    with FacesCache.open("faces.h5") as cache:
        face = cache.faces(cache.rows()[:1])[0]
    Image.fromarray(face).save(tmp_path / "face.png")
    (read,) = predictions(facedis("predict", tmp_path / "face.png", "--crop", "none", "--json"))
    run = load_run("runs/one")
    assert read["temperature"] == Calibration.from_run(run).temperature != 1
    logits = encode_faces(run, face[None], "cpu", ("logits",))["logits"][0].astype(float) / read["temperature"]
    expected = np.exp(logits) / np.exp(logits).sum()
    (seen,) = read["faces"]
    assert seen["box"] is None and seen["detection"] is None
    np.testing.assert_allclose([seen["probabilities"][name] for name in run.classes], expected, atol=1e-5)


def test_problems_are_reported_and_the_other_images_are_predicted(facedis, here, photos, tmp_path):
    (tmp_path / "junk.jpg").write_text("no picture")
    (tmp_path / "empty").mkdir()
    words = [photos / "one.png", "gone.jpg", tmp_path / "junk.jpg", tmp_path / "empty", tmp_path / "*.gif"]
    done = facedis("predict", *words, photos / "wall.png")
    assert done.code == 0 and "Traceback" not in done.err
    model, *told = done.err.splitlines()
    assert model == "model: runs/one (newest run; --model bundled for the bundled model)"
    whys = ("gone.jpg: there is no such file", "junk.jpg: it is not", "has no image", "no file matches", "no face")
    assert len(told) == 5 and all(why in line for why, line in zip(whys, told, strict=True))
    lines = done.out.splitlines()
    assert lines[0].split() == ["expression", "confidence", "next", "box", "image"]
    assert lines[1].endswith("one.png") and "1 face in 1 image, 5 images skipped" in lines[2]
    assert facedis("predict", photos / "one.png", "-q").out == ""


def test_the_exit_code_is_2_only_if_no_face_was_found(facedis, here, photos, tmp_path, monkeypatch):
    done = facedis(
        "predict", "gone.jpg", photos / "wall.png", "--csv", tmp_path / "x.csv", "--annotate-dir", tmp_path / "d"
    )
    assert done.code == 2 and "no face in any of 2 images" in done.err and "--crop none" in done.err
    assert not list(tmp_path.iterdir())
    assert "--crop" not in facedis("predict", "gone.jpg").err
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    refused(facedis("predict", "-"), "no image was named")


def test_patterns_and_a_list_on_stdin(facedis, here, photos, monkeypatch):
    (one,) = predictions(facedis("predict", photos / "o*.png", "--json"))
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{photos / 'one.png'}\n\n{photos / 'below'}\n"))
    first, second = predictions(facedis("predict", "-", "--json"))
    assert first == one and second["file"].endswith("two.png")


@pytest.mark.parametrize("kind", KINDS)
def test_every_odd_form_gives_a_face_at_its_place(facedis, here, photos, tmp_path, kind):
    (plain,) = predictions(facedis("predict", photos / "one.png", "--json"))
    with Image.open(photos / "one.png") as image:
        path = KINDS[kind](image.convert("RGB"), tmp_path / kind)
    (odd,) = predictions(facedis("predict", path, "--json"))
    assert overlap(*(np.array(each["faces"][0]["box"]) for each in (odd, plain))) > 0.7


def test_sixteen_pixels_are_enough_for_a_face_that_is_cut_out_already(facedis, here, photos, tmp_path):
    for side in (15, 16):
        with Image.open(photos / "one.png") as image:
            image.resize((side, side)).save(tmp_path / f"{side}.png")
    small, least = predictions(facedis("predict", tmp_path, "--crop", "none", "--json"))
    assert "at least 16" in small["problem"] and least["faces"][0]["box"] is None
    assert facedis("predict", tmp_path / "16.png", "--crop", "none", "--annotate-dir", tmp_path / "e", "-q").code == 0
    with Image.open(tmp_path / "e" / "16.png") as drawn:
        assert drawn.size == (320, 320)


def test_drawings_frame_the_faces_and_are_no_input_of_the_next_run(facedis, here, photos, tmp_path):
    place = shutil.copytree(photos, tmp_path / "photos")
    words = ("predict", place, "--annotate-dir", place / "seen")
    assert facedis(*words, "-q").code == 0
    drawn = sorted(path.relative_to(place / "seen").as_posix() for path in (place / "seen").rglob("*.png"))
    assert drawn == ["below/two.png", "one.png"]
    with Image.open(place / "seen" / "one.png") as after, Image.open(place / "one.png") as before:
        scale = after.width // before.width
        bare = before.convert("RGB").resize(after.size, Image.Resampling.BICUBIC)
        changed = (np.asarray(after) != np.asarray(bare)).any(axis=2)
    (read,) = predictions(facedis("predict", place / "one.png", "--json"))
    left, top, right, bottom = (np.array(read["faces"][0]["box"]) * scale).astype(int)
    assert changed[(top + bottom) // 2, left : left + 4].any()  # the frame
    assert not changed[(top + bottom) // 2, left + 20 : right - 20].any()
    refused(facedis(*words), "is not empty", "--overwrite")
    done = facedis(*words, "--overwrite", "--json")
    assert len(predictions(done)) == 3
    facedis("predict", place / "one.png", "--annotate-dir", place, "--overwrite", "-q")  # beside the photograph
    assert (place / "one.png").read_bytes() == (photos / "one.png").read_bytes()
    assert (place / "one-2.png").exists()


def test_a_table_has_a_row_a_face(facedis, here, photos, tmp_path):
    assert facedis("predict", photos, "--csv", tmp_path / "seen.csv", "-q").code == 0
    with (tmp_path / "seen.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["file"] for row in rows) == [str(photos / name) for name in ("below/two.png",) * 2 + ("one.png",)]
    for row in rows:
        chances = {name[2:]: float(value) for name, value in row.items() if name.startswith("p_")}
        assert max(chances, key=chances.get) == row["expression"] and float(row["left"]) < float(row["right"])
    refused(facedis("predict", photos, "--csv", tmp_path / "seen.csv"), "exists already", "--overwrite")


def test_the_nearest_known_faces(facedis, here, tmp_path):
    with FacesCache.open("faces.h5") as cache:
        labels = {name: cache.info.classes[label] for name, label in zip(cache.sources, cache.labels, strict=True)}
        Image.fromarray(cache.faces(cache.rows()[3:4])[0]).save(tmp_path / "face.png")
    words = ("predict", tmp_path / "face.png", "--crop", "none", "--top-k", "2")
    (read,) = predictions(facedis(*words, "--neighbours", "faces.h5", "--json"))
    first, second = read["faces"][0]["neighbours"]
    assert 1 >= first["cosine"] >= second["cosine"] > 0 and first["cosine"] > 0.9999  # it is among them itself
    assert all(labels[near["image"]] == near["expression"] for near in (first, second))
    facedis("embed", "faces.h5", "-o", tmp_path / "codes.npz", "-q")
    assert predictions(facedis(*words, "--neighbours", tmp_path / "codes.npz", "--json")) == [read]
    assert (
        f"neighbours: {first['image']} ({first['expression']}, 1.00)" in facedis(*words, "--neighbours", "faces.h5").out
    )
    refused(facedis(*words), "--top-k has no effect", "--neighbours")


def test_a_run_without_a_temperature_says_so_and_can_get_one(facedis, here, photos, tmp_path):
    place = shutil.copytree(here / "runs" / "one", tmp_path / "run")
    about = json.loads((place / CALIBRATION).read_text())
    (place / CALIBRATION).unlink()
    words = ("predict", photos / "one.png", "--run", place)
    assert "not calibrated" in facedis(*words).out
    assert predictions(facedis(*words, "--json"))[0]["temperature"] is None
    with FacesCache.open(here / "faces.h5") as cache:
        found = calibrate(load_run(place), cache, device="cpu")
    assert found["temperature"] == pytest.approx(about["temperature"], rel=1e-4) and found["n"] == about["n"] == 32
    assert set(found["ece"]) == set(found["nll"]) == {"before", "after"}
    (place / CALIBRATION).write_text('{"temperature": 0}')
    refused(facedis(*words), CALIBRATION, "delete it")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--top-k", "0"), ("--top-k", "equal to 1")),
        (("--frame-stride", "0"), ("--frame-stride", "equal to 1")),
        (("--csv", "seen.txt"), ("seen.txt", ".csv")),
        (("--min-face-size", "3"), ("--min-face-size", "equal to 12")),
        (("--crop", "round"), ("--crop", "'round'")),
        (("--neighbours", "gone.h5"), ("gone.h5",)),
        (("--run", "gone"), ("gone",)),
    ],
)
def test_wishes_that_cannot_be_met(facedis, here, photos, words, expected):
    refused(facedis("predict", photos / "one.png", *words), *expected)


def test_a_process_of_its_own_imports_nothing_that_it_does_not_use(here, photos):
    script = (
        "import sys\nfrom facedis.cli import app\n"
        f"try:\n    app()(['predict', {str(photos / 'one.png')!r}, '--run', 'runs/one', '--json'])\n"
        "except SystemExit:\n    pass\n"
        "print(sorted({'sklearn', 'scipy', 'matplotlib', 'lightning_fabric', 'facenet_pytorch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


class TestVideo:
    @pytest.fixture
    def clip(self, photos, tmp_path):
        """Seven frames: the face, the wall and so on."""
        av = pytest.importorskip("av")
        with Image.open(photos / "one.png") as image:
            image = image.convert("RGB").resize((160, 160))
        with av.open(str(tmp_path / "clip.mp4"), "w") as container:
            stream = container.add_stream("mpeg4", rate=10)
            stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 160, 160, "yuv420p", 4_000_000
            for number in range(7):
                shown = image if number % 2 == 0 else Image.new("RGB", image.size, "teal")
                container.mux(stream.encode(av.VideoFrame.from_image(shown)))
            container.mux(stream.encode(None))
        return tmp_path / "clip.mp4"

    def test_every_third_frame(self, facedis, here, clip, photos, tmp_path):
        words = ("predict", clip, photos / "one.png", "--frame-stride", "3", "--json", "--annotate-dir", tmp_path / "d")
        *frames, photo = predictions(facedis(*words))
        assert [(each["frame"], each["seconds"], len(each["faces"])) for each in frames] == [
            (0, 0.0, 1),
            (3, pytest.approx(0.3), 0),
            (6, pytest.approx(0.6), 1),
        ]
        assert photo["frame"] is None
        assert sorted(path.name for path in (tmp_path / "d").iterdir()) == [
            "clip-000000.png",
            "clip-000006.png",
            "one.png",
        ]

    def test_a_broken_video_is_one_line(self, facedis, here, clip, photos, tmp_path):
        (tmp_path / "junk.mp4").write_bytes(b"nothing" * 99)
        (tmp_path / "cut.mp4").write_bytes(clip.read_bytes()[:700])
        done = facedis("predict", tmp_path / "junk.mp4", tmp_path / "cut.mp4", "gone.mov", photos / "one.png")
        assert done.code == 0 and len(done.err.splitlines()) == 4, done.err  # the model, then one line per file
        assert "junk.mp4: it is not a video" in done.err and "gone.mov: there is no such file" in done.err


def test_a_video_without_its_package_names_the_extra(facedis, here, photos, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    done = facedis("predict", "clip.mp4", photos / "one.png")
    assert done.code == 0 and "facedis[video]" in done.err


def test_where_no_image_can_be_read_nothing_is_said_of_faces(facedis, here, tmp_path):
    (tmp_path / "text.jpg").write_text("no picture")
    done = facedis("predict", tmp_path / "text.jpg", tmp_path / "gone.jpg")
    assert done.code == 2 and "no image could be read" in done.err and "no face" not in done.err
    assert done.out == ""


def test_the_python_function_gives_the_predictions_of_the_command(facedis, here, photos):
    result = package.load_model("runs/one").predict([photos / "one.png", photos / "wall.png"])
    first, second = predictions(facedis("predict", photos / "one.png", photos / "wall.png", "--json"))
    record = result.to_dict()
    assert record["faces"] == [{"image": first["file"], **face} for face in first["faces"]]
    assert record["problems"] == [{"image": second["file"], "why": second["problem"]}]
    assert (record["kind"], record["model"], record["n"]) == ("prediction", "runs/one", 1)
    assert (result.faces[0].expression, result.n) == (first["faces"][0]["expression"], 1)
    assert repr(result) == f"PredictionResult(model='runs/one', n=1, expressions=['{result.faces[0].expression}'])"
    assert len(result.table_rows()) == 1 and result.table_rows()[0]["image"] == first["file"]
