import json
import sys
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest

from facedis import __version__
from facedis.errors import MissingPackage
from facedis.result import NOT_RECORDED, RECORDED_IF_SET, Estimate, Result, dumps, estimates, to_jsonable


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Measured(Result):
    kind: ClassVar[str] = "measured"
    model: str
    n: int
    task: dict[str, Estimate | None]
    confusion: np.ndarray
    output: str | None = None
    page: str | None = field(default=None, metadata=RECORDED_IF_SET)
    codes: np.ndarray = field(metadata=NOT_RECORDED)

    def summary(self):
        return {"accuracy": self.task["accuracy"]}


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Table(Measured):
    def table_rows(self):
        return [{"image": "a.png", "task": self.task, "n": np.int64(self.n)}]


ACCURACY = Estimate(0.5, 0.4, 0.6, 0.125, 100)


def measured(kind=Measured, **keys) -> Measured:
    common = {"model": "runs/x", "n": 3, "task": {"accuracy": ACCURACY, "ece": None}, "confusion": np.eye(2, dtype=int)}
    return kind(**(common | {"codes": np.zeros((3, 2))} | keys))


def test_the_record_has_the_fields_and_the_common_keys():
    result = measured()
    record = result.to_dict()
    assert json.loads(dumps(record)) == record
    assert record == {
        "kind": "measured",
        "format": 1,
        "facedis": __version__,
        "created": result.created,
        "command": result.command,
        "model": "runs/x",
        "n": 3,
        "task": {"accuracy": {"value": 0.5, "low": 0.4, "high": 0.6, "chance": 0.125, "n": 100}, "ece": None},
        "confusion": [[1, 0], [0, 1]],
        "output": None,
    }
    assert measured(page="x.html").to_dict()["page"] == "x.html"


def test_save_writes_the_record(tmp_path):
    result = measured()
    result.save(tmp_path / "result.json")
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8")) == result.to_dict()


def test_repr_shows_model_count_and_summary():
    assert repr(measured()) == "Measured(model='runs/x', n=3, accuracy=0.500 [0.400, 0.600])"


def test_estimates_are_found_at_any_depth():
    record = {"a": {"b": to_jsonable(ACCURACY), "c": 1}, "d": to_jsonable(ACCURACY), "e": [to_jsonable(ACCURACY)]}
    assert [name for name, _ in estimates(record)] == ["a.b", "d"]


def test_non_finite_numbers_become_null():
    assert to_jsonable({"x": [float("nan"), np.float64("inf"), 1.0]}) == {"x": [None, None, 1.0]}


def test_to_pandas_has_one_row_per_estimate_unless_the_result_is_a_table():
    pytest.importorskip("pandas")
    frame = measured().to_pandas()
    assert frame.to_dict("records") == [
        {"metric": "task.accuracy", "value": 0.5, "low": 0.4, "high": 0.6, "chance": 0.125, "n": 100}
    ]
    columns = ["image", "task.accuracy", "task.accuracy.low", "task.accuracy.high", "task.ece", "n"]
    assert list(measured(Table).to_pandas().columns) == columns


def test_to_pandas_names_the_missing_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingPackage, match="pip install pandas"):
        measured().to_pandas()
