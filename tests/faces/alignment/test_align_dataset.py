import json

import h5py
import numpy as np
import pytest
from PIL import Image

from facedis.config import AlignConfig
from facedis.errors import CacheError, ConfigError, InputError, OutputError
from facedis.faces.alignment import align_dataset as module
from facedis.faces.alignment.align_dataset import align
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.cache_format import partial_path
from facedis.faces.cache.cache_writer import CacheWriter
from facedis.faces.cropping.crop import box_crop, resize_image, similarity_crop
from facedis.faces.detection.mtcnn import Mtcnn
from facedis.faces.io.images import decode_image
from facedis.synthetic import bundled
from facedis.taxonomy import EIGHT, SEVEN


@pytest.fixture(scope="module")
def boxed(folder, tmp_path_factory):
    """The test dataset aligned with the defaults, and the record of it."""
    output = tmp_path_factory.mktemp("boxed") / "faces.h5"
    return output, align(folder, output, AlignConfig(seed=3))


def texts(events):
    return [event.text for event in events if event.kind in ("note", "warning")]


def test_every_image_is_a_row_with_a_status(boxed):
    output, result = boxed
    assert (result.rows, result.n) == (30, 24)
    assert result.status == {
        "ok": 23,
        "several": 1,
        "no_face": 2,
        "too_small": 1,
        "unreadable": 2,
        "missing": 1,
    }
    assert [problem["image"] for problem in result.problems] == [
        "absent.png",
        "empty-room.png",
        "nothing.png",
        "small.png",
        "text.jpg",
        "tiny.png",
    ]
    assert result.rate > 0 and result.output == str(output)
    assert json.loads(json.dumps(result.to_dict()))["kind"] == "alignment"


def test_what_is_known_before_detection_is_in_the_cache(boxed, folder):
    with FacesCache.open(boxed[0]) as cache:
        assert cache.info.classes == EIGHT  # contempt occurs
        row = list(cache.sources).index("09.png")
        assert (cache.info.classes[cache.labels[row]], cache.identities[row]) == ("happiness", "p4")
        assert cache.labels[list(cache.sources).index("unlabelled.png")] == -1
        assert (cache.info.crop, cache.info.size, cache.info.dataset, cache.info.detector) == (
            "box",
            160,
            "labels-csv",
            "mtcnn",
        )
        assert json.loads(cache.info.settings)["seed"] == 3
        people = {}
        for identity, split in zip(cache.identities, cache.splits, strict=True):
            assert not identity or people.setdefault(identity, split) == split
        assert boxed[1].splits.keys() == set(cache.splits[cache.usable])


def test_a_face_is_the_crop_of_its_box(boxed, folder):
    with FacesCache.open(boxed[0]) as cache:
        for name in ("03.png", "group.png"):
            row = list(cache.sources).index(name)
            image = decode_image(folder / name).pixels
            expected = box_crop(image, cache.column("box")[row], 160, 32)
            np.testing.assert_array_equal(cache.faces(np.array([row]))[0], expected)
        bad = np.flatnonzero(~cache.usable)
        assert not cache.faces(bad).any()
        assert np.isnan(cache.column("box")[bad]).all() and np.isnan(cache.column("probability")[bad]).all()
        assert not cache.grey


@pytest.mark.parametrize(("policy", "left"), [("largest", True), ("central", False), ("most-certain", None)])
def test_of_several_faces_the_policy_takes_one(tmp_path, group, policy, left):
    (tmp_path / "happy").mkdir()
    shifted = np.roll(group, -60, axis=1)  # brings the small face nearer to the middle
    Image.fromarray(shifted).save(tmp_path / "happy" / "1.png")
    result = align(tmp_path, tmp_path / "faces.h5", AlignConfig(multiple_faces=policy))
    assert result.status == {"several": 1}
    found = Mtcnn("cpu").detect([shifted])[0]
    with FacesCache.open(tmp_path / "faces.h5") as cache:
        box, probability = cache.column("box")[0], cache.column("probability")[0]
    if left is None:
        assert probability == found.probabilities.max()
    else:
        assert (box[0] < 180) == left


def test_a_similarity_crop_is_upright(folder, tmp_path):
    align(folder, tmp_path / "faces.h5", AlignConfig(crop="similarity", image_size=96))
    with FacesCache.open(tmp_path / "faces.h5") as cache:
        row = list(cache.sources).index("05.png")
        expected = similarity_crop(decode_image(folder / "05.png").pixels, cache.column("landmarks")[row], 96, 32)
        np.testing.assert_array_equal(cache.faces(np.array([row]))[0], expected)


def test_faces_that_are_cut_out_already_keep_their_size(tmp_path):
    for number in range(5):
        path = tmp_path / "data" / ("train" if number < 3 else "test") / "sad" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((30, 24, 3), number, np.uint8)).save(path)
    (tmp_path / "data" / "test" / "sad" / "0.jpg").write_text("the first is not readable")
    result = align(tmp_path / "data", tmp_path / "faces.h5", AlignConfig(crop="none"))
    assert (result.size, result.detector) == (24, "none")
    assert result.status == {"ok": 5, "unreadable": 1}
    assert {split: counts["sadness"] for split, counts in result.splits.items()} == {"train": 3, "test": 2}
    with FacesCache.open(tmp_path / "faces.h5") as cache:
        assert cache.grey and np.isnan(cache.column("box")).all()


def test_a_reader_that_knows_its_faces_and_classes_decides(tmp_path):
    for place in ("Training/happy", "PublicTest/sad", "PrivateTest/fear"):
        (tmp_path / "data" / place).mkdir(parents=True)
        Image.new("L", (48, 48), 99).save(tmp_path / "data" / place / "1.png")
    result = align(tmp_path / "data", tmp_path / "faces.h5", AlignConfig())
    assert (result.crop, result.size, tuple(result.classes)) == ("none", 48, SEVEN)


def test_without_labels_the_classes_are_all_eight(tmp_path):
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text("image,expression,split\na.png,,train\n")
    result = align(tmp_path, tmp_path / "faces.h5", AlignConfig(crop="none"))
    assert tuple(result.classes) == EIGHT
    assert result.splits == {"train": dict.fromkeys(EIGHT, 0) | {"unlabelled": 1}}


def test_whole_images_may_stand_in_for_faces(folder, tmp_path):
    result = align(folder, tmp_path / "faces.h5", AlignConfig(no_face="full-image", image_size=64))
    assert result.status["whole"] == 2 and "no_face" not in result.status
    with FacesCache.open(tmp_path / "faces.h5") as cache:
        row = list(cache.sources).index("empty-room.png")
        np.testing.assert_array_equal(
            cache.faces(np.array([row]))[0], resize_image(decode_image(folder / "empty-room.png").pixels, 64)
        )
        assert np.isnan(cache.column("probability")[row])


def rooms(root, count=3):
    (root / "happy").mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (90, 80), (number, 99, 99)).save(root / "happy" / f"{number}.png")
    return root


def test_no_face_anywhere_is_an_error_and_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match=r"no face was found in any of the 3 images .*; add --crop none"):
        align(rooms(tmp_path / "data"), tmp_path / "out" / "faces.h5", AlignConfig())
    assert list((tmp_path / "out").iterdir()) == []


def test_no_face_anywhere_is_a_warning_where_whole_images_stand_in(tmp_path):
    events = []
    align(rooms(tmp_path / "data"), tmp_path / "faces.h5", AlignConfig(no_face="full-image"), events.append)
    first = next(event.text for event in events if event.kind == "warning")
    assert first.startswith("no face was found in any image")


def test_only_unreadable_images_are_an_error_and_leave_nothing(tmp_path):
    (tmp_path / "data" / "happy").mkdir(parents=True)
    (tmp_path / "data" / "happy" / "1.jpg").write_text("text")
    for crop in ("box", "none"):
        with pytest.raises(InputError, match=r"can be (used|read)"):
            align(tmp_path / "data", tmp_path / "out" / "faces.h5", AlignConfig(crop=crop))
        assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_an_unknown_detector_is_refused_before_anything_is_written(folder, tmp_path):
    with pytest.raises(ConfigError, match=r"no detector 'haar'"):
        align(folder, tmp_path / "out" / "faces.h5", AlignConfig(detector="haar"))
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path):
    rooms(tmp_path / "data")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot write"):
        align(tmp_path / "data", tmp_path / "file" / "faces.h5", AlignConfig(crop="none"))
    with pytest.raises(OutputError, match=r"is a folder"):
        align(tmp_path / "data", tmp_path / "data", AlignConfig(crop="none"))


def test_a_finished_cache_of_the_same_is_left_alone(boxed, folder):
    output, first = boxed
    before, events = output.stat(), []
    again = align(folder, output, AlignConfig(seed=3, workers=5), events.append)
    assert output.stat() == before
    assert f"{output} is complete already" in texts(events)
    drop = ("created", "rate")
    assert again.rate is None
    records = again.to_dict(), first.to_dict()
    assert len({json.dumps({key: record[key] for key in record if key not in drop}) for record in records}) == 1


@pytest.mark.parametrize(
    "change", [{"seed": 4}, {"image_size": 80}, {"margin": 0.0}, {"min_face_size": 40}, {"multiple_faces": "central"}]
)
def test_a_finished_cache_of_other_settings_is_refused(boxed, folder, change):
    with pytest.raises(OutputError, match=r"exists already; .* choose another -o or --overwrite"):
        align(folder, boxed[0], AlignConfig(**{"seed": 3, **change}))


def test_overwrite_replaces_it_and_any_other_file(tmp_path):
    rooms(tmp_path / "data")
    output = tmp_path / "faces.h5"
    output.write_text("not a cache")
    with pytest.raises(OutputError, match=r"is not a readable faces cache: .*; choose another -o or --overwrite"):
        align(tmp_path / "data", output, AlignConfig(crop="none"))
    for size in (32, 48):
        assert align(tmp_path / "data", output, AlignConfig(crop="none", image_size=size), overwrite=True).size == size


def interrupted(folder, output, config, after, monkeypatch):
    """Align, but stop after `after` chunks as Ctrl-C does."""
    done = []

    def handler(event):
        done.append(event.kind == "advance")
        if sum(done) == after:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "CHUNK_ROWS", 7)
    with pytest.raises(KeyboardInterrupt):
        align(folder, output, config, handler)


def content(path):
    with h5py.File(path) as file:
        return {name: file[name][:] for name in file}, {name: file.attrs[name] for name in file.attrs}


def test_after_ctrl_c_the_same_command_goes_on_and_gives_the_same_cache(folder, tmp_path, monkeypatch):
    output, config = tmp_path / "faces.h5", AlignConfig()
    interrupted(folder, output, config, 2, monkeypatch)
    assert not output.exists()
    writer = CacheWriter.resume(output)
    assert len(writer.pending) == 30 - 14
    writer.close()
    with pytest.raises(CacheError, match=r"run the same `facedis align` again"):
        FacesCache.open(output)
    events = []
    result = align(folder, output, config, events.append)
    assert "14 of 30 rows are done" in texts(events)[1]
    assert [event.total for event in events if event.kind == "start"] == [16]
    assert result.rows == 30 and not partial_path(output).exists()
    align(folder, tmp_path / "unbroken.h5", config)
    broken, unbroken = content(output), content(tmp_path / "unbroken.h5")
    assert broken[0].keys() == unbroken[0].keys()
    for name, values in unbroken[0].items():
        np.testing.assert_array_equal(broken[0][name], values, err_msg=name)
    np.testing.assert_equal(broken[1], unbroken[1])


def test_an_unfinished_cache_of_other_settings_is_refused(folder, tmp_path, monkeypatch):
    output = tmp_path / "faces.h5"
    interrupted(folder, output, AlignConfig(), 1, monkeypatch)
    with pytest.raises(OutputError, match=r"the unfinished .*faces.h5.partial is in the way"):
        align(folder, output, AlignConfig(image_size=80))
    assert align(folder, output, AlignConfig(image_size=80), overwrite=True).size == 80


def test_a_broken_unfinished_cache_says_what_to_do(folder, tmp_path):
    output = tmp_path / "faces.h5"
    partial_path(output).write_bytes(b"broken")
    with pytest.raises(CacheError, match=r"cannot be continued: .*delete it to start again"):
        align(folder, output, AlignConfig())


def test_without_a_folder_the_bundled_faces_are_aligned_with_their_factors(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(bundled, "unpack", lambda handler: pictures)
    result = align(None, tmp_path / "faces.h5", AlignConfig())
    assert (result.dataset, result.rows) == ("rendered", 128)
    assert result.n >= 126
    with FacesCache.open(tmp_path / "faces.h5") as cache:
        factors = cache.factors
    assert {"intensity", "yaw", "light_azimuth"} <= set(factors)
    assert all(len(values) == 128 and np.isfinite(values).all() for values in factors.values())
    assert np.ptp(factors["yaw"]) > 0.2


def test_progress_is_told(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_ROWS", 12)
    events = []
    align(folder, tmp_path / "faces.h5", AlignConfig(), events.append)
    kinds = [event.kind for event in events]
    assert kinds[0] == "note" and kinds.count("start") == kinds.count("end") == 1
    assert [event.total for event in events if event.kind == "start"] == [30]
    assert [event.done for event in events if event.kind == "advance"] == [12, 24, 30]
    assert all(event.facts["images/s"] > 0 for event in events if event.kind == "advance")


@pytest.mark.parametrize(("test_share", "warns"), [(0.1, True), (0.0, False)])
def test_a_split_that_is_wanted_and_stays_empty_is_a_warning(tmp_path, test_share, warns):
    for number in range(3):
        Image.new("RGB", (40, 40)).save(tmp_path / f"{number}.png")
    (tmp_path / "labels.csv").write_text("image,expression,identity\n0.png,sad,a\n1.png,fear,a\n2.png,sad,a\n")
    events = []
    config = AlignConfig(crop="none", val_fraction=0.0, test_fraction=test_share)
    align(tmp_path, tmp_path / "faces.h5", config, events.append)
    assert any("no identity was assigned to the split test" in text for text in texts(events)) == warns
