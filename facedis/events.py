"""Events: how the package reports progress, notes and warnings without printing.

An event handler is any callable that takes one `Event`: a progress bar, a log file, a notebook widget.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        kind: "start" opens a task, "advance" reports its progress, "end" closes it; "note" and
            "warning" carry only a `text`.
        text: Name of the task, or the message.
        total: Units of the task; 0 if unknown.
        done: Units finished so far, those of an earlier, interrupted run included.
        facts: Numbers to show beside the progress: images per second, a loss, an accuracy.
    """

    kind: Literal["start", "advance", "end", "note", "warning"]
    text: str = ""
    total: int = 0
    done: int = 0
    facts: Mapping[str, float] = field(default_factory=dict)


EventHandler = Callable[[Event], None]


def ignore_events(event: Event) -> None:
    """Handle every event by doing nothing."""


def note(handler: EventHandler, text: str) -> None:
    """Send one line of information."""
    handler(Event("note", text))


def warn(handler: EventHandler, text: str) -> None:
    """Send one line of warning."""
    handler(Event("warning", text))


class Tracker:
    """Progress of one task; made by `track`.

    Attributes:
        done: Units finished so far.
    """

    def __init__(self, handler: EventHandler, text: str, total: int, done: int) -> None:
        self.done = done
        self._handler, self._text, self._total = handler, text, total
        self._facts: Mapping[str, float] = {}

    def send(self, kind: Literal["start", "advance", "end"]) -> None:
        """Send an event with the current state."""
        self._handler(Event(kind, self._text, self._total, self.done, self._facts))

    def advance(self, n: int = 1, facts: Mapping[str, float] | None = None) -> None:
        """Report `n` more finished units, with `facts` to show beside them."""
        self.done += n
        self._facts = facts or self._facts
        self.send("advance")


@contextmanager
def track(handler: EventHandler, text: str, total: int = 0, done: int = 0) -> Iterator[Tracker]:
    """Report a task: "start" on entry, "advance" per call of `Tracker.advance`, "end" on exit.

    A block that raises sends no "end".

    Args:
        handler: Receives the events.
        text: Name of the task.
        total: Units of the task; 0 if unknown.
        done: Units that are already finished.
    """
    tracker = Tracker(handler, text, total, done)
    tracker.send("start")
    yield tracker
    tracker.done = max(tracker.done, total)
    tracker.send("end")
