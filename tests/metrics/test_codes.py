import numpy as np
import pytest

from facedis.metrics.codes import CodeTable


def table(n: int = 6, rest: bool = True) -> CodeTable:
    numbers = np.arange(n, dtype=np.float32)[:, None]
    return CodeTable(
        rows=np.arange(n) + 100,
        expression=numbers,
        rest=numbers * 2 if rest else None,
        trunk=numbers * 3,
        probabilities=np.full((n, 2), 0.5, np.float32),
        adversary=np.full((n, 2), 0.5, np.float32) if rest else None,
        labels=np.arange(n) % 2,
        identities=np.array([f"p{i // 2}" for i in range(n)]),
        splits=np.array(["train", "val", "test"] * (n // 3)),
        classes=("neutral", "happiness"),
        factors={"yaw": np.arange(n) / 10, "light": np.array(["left", "right"] * (n // 2))},
    )


def test_take_selects_the_same_rows_of_every_column():
    whole = table()
    part = whole.take(whole.splits == "val")
    assert part.rows.tolist() == [101, 104]
    assert part.rest[:, 0].tolist() == [2, 8]
    assert part.labels.tolist() == [1, 0]
    assert part.identities.tolist() == ["p0", "p2"]
    assert part.factors["yaw"].tolist() == [0.1, 0.4] and part.factors["light"].tolist() == ["right", "left"]
    assert len(part) == 2


def test_take_keeps_the_order_of_indices_and_missing_codes():
    part = table(rest=False).take(np.array([5, 0]))
    assert part.rows.tolist() == [105, 100]
    assert part.rest is None and part.adversary is None
    assert part.classes == ("neutral", "happiness")


def test_columns_of_different_length_raise():
    whole = table()
    with pytest.raises(ValueError, match="trunk has 2 rows, expected 6"):
        CodeTable(**{**vars(whole), "trunk": whole.trunk[:2]})
    with pytest.raises(ValueError, match="factor yaw has 2 rows, expected 6"):
        CodeTable(**{**vars(whole), "factors": {"yaw": np.zeros(2)}})
