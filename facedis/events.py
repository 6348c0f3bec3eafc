"""How the engine speaks: it never prints, it tells a listener.

A progress bar, a log file and a notebook are all listeners: callables that take one `Event`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    `start` opens a task of `total` units, `advance` says that `done` of them are finished so far, `end`
    closes it; `note` and `warning` carry only a `text`. `facts` are numbers worth showing beside
    the bar (images a second, a loss, an accuracy with its chance level).
    """

    kind: Literal["start", "advance", "end", "note", "warning"]
    text: str = ""
    total: int = 0
    done: int = 0
    facts: Mapping[str, float] = field(default_factory=dict)


Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """The listener that ignores everything."""


def note(listener: Listener, text: str) -> None:
    """Tell `listener` one line that the user should read."""
    listener(Event("note", text))


def warn(listener: Listener, text: str) -> None:
    """Tell `listener` one line that the user should not miss."""
    listener(Event("warning", text))
