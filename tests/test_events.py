"""Events of a tracked task."""

import pytest

from facedis.events import Event, note, track, warn


def test_a_task_sends_start_advance_and_end():
    events = []
    with track(events.append, "encoding", 5, done=1) as progress:
        progress.advance(3, {"loss": 0.5})
        progress.advance()
    assert events == [
        Event("start", "encoding", 5, 1),
        Event("advance", "encoding", 5, 4, {"loss": 0.5}),
        Event("advance", "encoding", 5, 5, {"loss": 0.5}),
        Event("end", "encoding", 5, 5, {"loss": 0.5}),
    ]


def test_a_task_without_reports_ends_complete():
    events = []
    with track(events.append, "measuring", 2):
        pass
    assert [(event.kind, event.done) for event in events] == [("start", 0), ("end", 2)]


def test_a_task_that_raises_sends_no_end():
    events = []
    with pytest.raises(ValueError), track(events.append, "measuring"):
        raise ValueError
    assert [event.kind for event in events] == ["start"]


def test_notes_and_warnings_carry_a_text():
    events = []
    note(events.append, "a note")
    warn(events.append, "a warning")
    assert events == [Event("note", "a note"), Event("warning", "a warning")]
