import io
import pickle

import pytest
from rich.console import Console

from facedis.events import Event, note, warn
from facedis.reports.progress import Progress


class Clock:
    """A clock set by the test."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make_progress(clock: Clock, terminal: bool = False) -> tuple[Progress, io.StringIO]:
    stream = io.StringIO()
    return Progress(Console(file=stream, force_terminal=terminal, width=100), interval=30, clock=clock), stream


def test_without_a_terminal_lines_are_printed_at_intervals(clock):
    progress, stream = make_progress(clock)
    progress(Event("start", "encoding", total=1200))
    for done in range(100, 1300, 100):
        clock.seconds += 10
        progress(Event("advance", "encoding", done=done, facts={"loss": 1.2345}))
    progress(Event("end", "encoding"))
    assert stream.getvalue().splitlines() == [
        "encoding: 1,200",
        "encoding: 300 of 1,200, 10/s, 1:30 left, loss 1.23",
        "encoding: 600 of 1,200, 10/s, 1:00 left, loss 1.23",
        "encoding: 900 of 1,200, 10/s, 0:30 left, loss 1.23",
        "encoding: 1,200 of 1,200, 10/s, loss 1.23",
        "encoding: 1,200 in 2:00, loss 1.23",
    ]


def test_a_rate_among_the_facts_replaces_the_computed_one(clock):
    progress, stream = make_progress(clock)
    progress(Event("start", "training", total=100, done=40))
    clock.seconds = 60
    progress(Event("advance", done=70, facts={"images/s": 1234.5, "C_adv": 0.125}))
    assert stream.getvalue().splitlines() == [
        "training: 100, 40 already done",
        "training: 70 of 100, 1:00 left, 1,234 images/s, C_adv 0.125",
    ]


def test_a_task_of_unknown_size_shows_its_duration(clock):
    progress, stream = make_progress(clock)
    progress(Event("start", "measuring"))
    clock.seconds = 3725
    progress(Event("end", "measuring"))
    assert stream.getvalue().splitlines() == ["measuring", "measuring: 1:02:05"]


def test_notes_and_warnings_are_printed_as_plain_lines(clock):
    progress, stream = make_progress(clock)
    long = "a [bold]note[/bold] " + "x" * 150
    note(progress, long)
    warn(progress, "beware [this]")
    assert stream.getvalue().splitlines() == [long, "warning: beware [this]"]


def test_tasks_can_be_nested(clock):
    progress, stream = make_progress(clock)
    progress(Event("start", "outer", total=2))
    progress(Event("start", "inner", total=5))
    clock.seconds = 40
    progress(Event("advance", done=2))
    progress(Event("end", "inner"))
    progress(Event("advance", done=1))
    assert stream.getvalue().splitlines()[2:] == [
        "inner: 2 of 5, 0.05/s, 1:00 left",
        "inner: 5 in 0:40",
        "outer: 1 of 2, 0.025/s, 0:40 left",
    ]


def test_a_terminal_shows_a_bar_and_its_cursor_is_restored(clock):
    progress, stream = make_progress(clock, terminal=True)
    with progress:
        progress(Event("start", "encoding", total=10))
        clock.seconds = 2
        progress(Event("advance", done=5, facts={"loss": 0.5}))
        progress._bars.refresh()
        assert "5 of 10, 2.5/s, 0:02 left, loss 0.5" in stream.getvalue()
        assert "\x1b[?25l" in stream.getvalue()  # the cursor is hidden
    assert stream.getvalue().rstrip("\n").rfind("\x1b[?25h") > stream.getvalue().rfind("\x1b[?25l")


def test_a_finished_task_leaves_one_line_on_a_terminal(clock):
    progress, stream = make_progress(clock, terminal=True)
    progress(Event("start", "encoding", total=10))
    clock.seconds = 5
    progress(Event("end", "encoding"))
    assert "encoding: 10 in 0:05" in stream.getvalue()
    progress(Event("start", "again", total=1))
    progress(Event("end"))
    assert "again: 1 in 0:00" in stream.getvalue()


def test_the_handler_can_be_pickled(clock):
    progress, _ = make_progress(clock, terminal=True)
    with progress:
        progress(Event("start", "training", total=10))
        copy = pickle.loads(pickle.dumps(progress))
    assert isinstance(copy, Progress) and copy._interval == 30


def test_events_out_of_order_are_ignored(clock):
    progress, stream = make_progress(clock)
    progress(Event("advance", done=5))
    progress(Event("end"))
    assert stream.getvalue() == ""
