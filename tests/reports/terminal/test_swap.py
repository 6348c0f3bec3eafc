import io

from rich.console import Console

from facedis.reports.terminal.swap import render


def text(result):
    console = Console(width=100, file=io.StringIO())
    for part in render(result):
        console.print(part)
    return console.file.getvalue()


COMMON = {"model": "runs/a", "images": {"grid": "swap.png"}, "output": "swap", "n": 2, "onto": "fear"}


def test_the_terminal_shows_the_cosines_of_every_task():
    donors = {"swapped_with_expression_donor": [0.5, 0.25], "swapped_with_rest_donor": [0.75, 0.125]}
    swapped = text(COMMON | {"task": "swap", "cosines": donors | {"x1_x2": {"expression": 0.1, "rest": 0.2}}})
    assert "optimistic" in swapped
    assert (
        "0.500" in swapped
        and "0.125" in swapped
        and "Before the swap: X1 and X2 0.100" in swapped
        and "swap/" in swapped
    )
    onto = text(COMMON | {"task": "onto", "cosines": donors | {"x1_mean": {"expression": 0.3}}})
    assert "mean of fear 0.300" in onto
    steps = {"steps_with_first": [1.0, 0.5], "steps_with_last": [0.5, 1.0]}
    assert "100%" in text(COMMON | {"task": "interpolation", "shares": [0, 1], "cosines": steps})
    assert "all 4 generated images" in text(COMMON | {"task": "grid", "cosines": donors})
