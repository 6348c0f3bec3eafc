import io

from rich.console import Console

from facedis.reports.terminal.ablate import render, text_table
from facedis.result import Estimate, to_jsonable


def near(value: float, chance: float | None = None) -> Estimate:
    return Estimate(value, value - 0.02, value + 0.02, chance, 500)


def row(name: str, accuracy: float, rest: float | None = 0.4, seed: int = 0, p: float | None = None) -> dict:
    reading = {"adversary": near(0.16), "strongest": near(rest, 1 / 7), "bits": near(0.5)} if rest else None
    return {
        "name": name,
        "seed": seed,
        "paper": {"c_exp": 0.6053, "c_adv": 0.16 if rest else None},
        "task": {"accuracy": near(accuracy)},
        "leakage": {"expression_in_rest": reading, "identity_in_expression": None},
        "retention": {"identity_auc_rest": None, "embedding_r2_rest": near(0.3) if rest else None},
        "collapse": {"rest": {"effective_rank": Estimate(12.3)} if rest else None},
        "against_first": None if p is None else {"p": p},
    }


def result(*rows: dict) -> dict:
    return to_jsonable({"dataset": "drawn", "split": "val", "n": 500, "classes": list("abcdefg"), "rows": rows})


def cells(found: dict) -> list[dict[str, str]]:
    table = text_table(found)
    return [dict(zip(table.header, cells, strict=True)) for cells in table.rows]


def test_published_columns_precede_measured_and_added_ones():
    header = text_table(result(row("baseline", 0.56, None), row("beta1-0", 0.6, p=0.0301))).header
    assert header[:5] == ("", "paper C_exp", "paper C_adv", "C_exp", "C_adv")
    assert header[5] == "best probe on rest" and header[-1] == "p against the first"
    assert "identity in rest (AUC)" not in header  # no row has a number


def test_a_row_has_intervals_and_a_p_value():
    base, ours = cells(result(row("baseline", 0.56, None), row("beta1-0", 0.6, p=0.0301)))
    assert base["best probe on rest"] == base["C_adv"] == base["p against the first"] == "–"
    assert ours["paper C_exp"] == "60.53%" and ours["paper C_adv"] == "16%"
    assert ours["C_exp"] == "60.0 % [58.0, 62.0]"
    assert (ours["rank of rest"], ours["p against the first"]) == ("12.3", "0.030")


def test_several_seeds_become_mean_and_deviation():
    rows = [row("beta1-0", value, seed=seed, p=1e-5) for seed, value in enumerate((0.58, 0.60, 0.62))]
    (only,) = cells(result(*rows))
    assert only["C_exp"] == "60.0 ± 2.0 %"
    assert only["trunk features in rest (R²)"] == "0.300 ± 0.000"
    assert only["p against the first"] == "<0.001, <0.001, <0.001"
    assert "3 seeds" in text_table(result(*rows)).title


def test_adversary_and_best_probe_are_compared():
    stream = io.StringIO()
    for part in render(result(row("baseline", 0.56, None), row("beta1-0", 0.6))):
        Console(file=stream, width=200).print(part)
    assert "beta1-0: expression in the rest code: training adversary 16.0 % [14.0, 18.0]" in stream.getvalue()
    assert ", best probe 40.0 % [38.0, 42.0], chance 14.3 %." in stream.getvalue()


def test_rows_without_a_published_number_have_no_such_column():
    own = row("a", 0.5) | {"paper": {}}
    assert text_table(result(own)).header[:2] == ("", "C_exp")
    assert not any("AffectNet" in str(part) for part in render(result(own)))
    assert cells(result(row("b", 0.5), own))[1]["paper C_exp"] == "–"
