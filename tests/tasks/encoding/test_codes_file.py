import csv
import zipfile

import numpy as np
import pytest

from facedis.errors import ConfigError, InputError, OutputError
from facedis.faces.alignment.sources import ID_COLUMNS
from facedis.tasks.encoding import codes_file
from facedis.tasks.encoding.codes_file import codes_writer, open_codes

METADATA = {"model": "runs/m", "fingerprint": "abc"}
RNG = np.random.default_rng(0)
N = 23
CODES = {
    "expression": RNG.normal(size=(N, 5)).astype(np.float32),
    "trunk": RNG.normal(size=(N, 9)).astype(np.float32) * 1e-7,
}
IDS_OF = {
    "row": np.arange(N) * 3,
    "image": np.array([f"bild {n},ü.png" for n in range(N)]),
    "expression": np.array(["anger", ""] * 11 + ["anger"]),
    "identity": np.array([f"p{n % 4}" for n in range(N)]),
    "split": np.array([""] * N),
}


def write(path, size=4):
    with codes_writer(path, METADATA) as writer:
        for start in range(0, N, size):
            part = slice(start, start + size)
            writer.add(
                {name: values[part] for name, values in IDS_OF.items()},
                {name: values[part] for name, values in CODES.items()},
            )
    return path


@pytest.fixture(params=[".npz", ".parquet"])
def path(request, tmp_path, monkeypatch):
    if request.param == ".parquet":
        pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
    monkeypatch.setattr(codes_file, "BLOCK_ROWS", 8)  # several row groups, several blocks
    return tmp_path / f"codes{request.param}"


def test_written_codes_are_read_back(path):
    file = open_codes(write(path))
    assert (file.metadata, file.total, file.codes) == (METADATA, N, ("expression", "trunk"))
    for name, values in CODES.items():
        blocks = list(file.blocks(name))
        assert len(blocks) > 1
        np.testing.assert_array_equal(np.concatenate(blocks), values)
        indices = np.array([17, 0, 22, 17])
        np.testing.assert_array_equal(file.take(name, indices), values[indices])
    found = file.ids(np.array([17, 0, 22]))
    for name in ID_COLUMNS:
        assert found[name].tolist() == IDS_OF[name][[17, 0, 22]].tolist()


def test_files_are_readable_by_numpy_and_pyarrow(path):
    write(path)
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            np.testing.assert_array_equal(arrays["trunk_features"], CODES["trunk"])
            assert arrays["image"][3] == "bild 3,ü.png"
    else:
        from pyarrow.parquet import read_table

        table = read_table(path)
        assert table.column_names == [*ID_COLUMNS, "expression_code", "trunk_features"]
        assert table["expression_code"][3].as_py() == CODES["expression"][3].tolist()


def test_a_csv_holds_the_same_numbers(tmp_path):
    with write(tmp_path / "codes.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:6] == [*ID_COLUMNS, "expression_code_0"] and len(rows[0]) == 5 + 5 + 9
    assert [row["image"] for row in rows] == IDS_OF["image"].tolist()
    numbers = np.array([[row[f"trunk_features_{i}"] for i in range(9)] for row in rows], np.float32)
    np.testing.assert_array_equal(numbers, CODES["trunk"])


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".parquet"])
def test_a_failed_write_keeps_the_previous_file(tmp_path, suffix):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
    path = tmp_path / f"codes{suffix}"
    path.write_text("before")
    with pytest.raises(RuntimeError), codes_writer(path, METADATA) as writer:
        writer.add(IDS_OF, CODES)
        raise RuntimeError
    assert [file.name for file in tmp_path.iterdir()] == [path.name] and path.read_text() == "before"


def test_files_without_codes_are_refused(tmp_path):
    for suffix in (".npz", ".parquet"):
        if suffix == ".parquet":
            pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
        (tmp_path / f"junk{suffix}").write_bytes(b"no codes in here")
        for name in ("junk", "gone"):
            with pytest.raises(InputError, match=f"{name}{suffix}.*facedis embed"):
                open_codes(tmp_path / f"{name}{suffix}")
    np.savez(tmp_path / "other.npz", numbers=np.arange(3))
    with pytest.raises(InputError, match=r"other.npz"):
        open_codes(tmp_path / "other.npz")
    with (
        pytest.raises(ConfigError, match=r"codes.txt; use one of the suffixes .parquet, .npz, .csv"),
        codes_writer(tmp_path / "codes.txt", METADATA),
    ):
        pass


def test_an_unwritable_path_raises_output_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write"):
        write(tmp_path / "file" / "codes.npz")


def test_compressed_archives_are_read(tmp_path):
    write(tmp_path / "codes.npz")
    with (
        zipfile.ZipFile(tmp_path / "codes.npz") as old,
        zipfile.ZipFile(tmp_path / "small.npz", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    file = open_codes(tmp_path / "small.npz")
    np.testing.assert_array_equal(np.concatenate(list(file.blocks("trunk"))), CODES["trunk"])


def test_memory_does_not_grow_with_the_number_of_codes(tmp_path):
    import tracemalloc

    codes = {"expression": np.zeros((500, 256), np.float32)}
    ids = {name: np.array(["a"] * 500) for name in ID_COLUMNS} | {"row": np.arange(500)}
    tracemalloc.start()
    with codes_writer(tmp_path / "codes.npz", METADATA) as writer:
        for _ in range(100):
            writer.add(ids, codes)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "codes.npz").stat().st_size > 50_000_000
    assert peak < 12_000_000
