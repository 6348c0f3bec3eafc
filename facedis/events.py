"""How the engine speaks: it never prints, it tells a handler.

A progress bar, a log file and a notebook are all handlers: callables that take one `Event`.
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


EventHandler = Callable[[Event], None]


def ignore_events(event: Event) -> None:
    """The handler that ignores everything."""


def note(handler: EventHandler, text: str) -> None:
    """Tell `handler` one line that the user should read."""
    handler(Event("note", text))


def warn(handler: EventHandler, text: str) -> None:
    """Tell `handler` one line that the user should not miss."""
    handler(Event("warning", text))
