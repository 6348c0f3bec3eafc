"""Shows events on stderr: as progress bars on a terminal, as occasional lines elsewhere."""

import atexit
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from facedis.events import Event


@dataclass
class _Task:
    """The state of a task that has not ended."""

    text: str
    total: int
    first: int
    started: float
    done: int
    printed: float
    facts: Mapping[str, float] = field(default_factory=dict)
    bar: TaskID | None = None

    def rate(self, now: float) -> float:
        return (self.done - self.first) / max(now - self.started, 1e-9)

    def state(self, now: float) -> str:
        """Rate, time left and facts: "240/s, 0:10 left, loss 1.23"."""
        parts, rate = [], self.rate(now)
        if rate > 0 and not any(name.endswith("/s") for name in self.facts):
            parts.append(f"{_number(rate)}/s")
        if rate > 0 and self.total > self.done:
            parts.append(f"{_duration((self.total - self.done) / rate)} left")
        return ", ".join(parts + [_fact(name, value) for name, value in self.facts.items()])


class Progress:
    """An event handler that shows tasks, notes and warnings on stderr.

    Also a context manager; the terminal is restored when the program ends. The handler can be pickled;
    the copy writes to the stderr of its own process.

    Args:
        console: The console to write to; stderr by default.
        interval: Seconds between two lines of a task, if the console is no terminal.
        clock: Returns the time in seconds.
    """

    def __init__(
        self, console: Console | None = None, interval: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console or Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._interval = interval
        self._now = clock
        self._tasks: list[_Task] = []  # the innermost last
        self._bars: Bars | None = None

    def __reduce__(self) -> tuple[type["Progress"], tuple[None, float]]:
        return Progress, (None, self._interval)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if event.kind == "note":
            self._line(event.text)
        elif event.kind == "warning":
            self._line(f"warning: {event.text}", "yellow")
        elif event.kind == "start":
            self._start(event)
        elif self._tasks:
            self._advance(event) if event.kind == "advance" else self._end(event)

    def close(self) -> None:
        """Remove the bars from the terminal."""
        self._tasks.clear()
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            atexit.unregister(self.close)

    def _start(self, event: Event) -> None:
        now = self._now()
        task = _Task(event.text, event.total, event.done, now, event.done, now)
        self._tasks.append(task)
        if not self._console.is_terminal:
            size = f": {event.total:,}" if event.total else ""
            self._line(task.text + size + (f", {event.done:,} already done" if event.done else ""))
            return
        if self._bars is None:
            self._bars = Bars(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[state]}", markup=False),
                console=self._console,
                transient=True,
            )
            atexit.register(self.close)
            self._bars.start()
        task.bar = self._bars.add_task(event.text, total=event.total or None, completed=event.done, state="")

    def _advance(self, event: Event) -> None:
        task, now = self._tasks[-1], self._now()
        task.done, task.facts = event.done, event.facts or task.facts
        counted = f"{task.done:,} of {task.total:,}" if task.total else f"{task.done:,}"
        if self._bars is not None and task.bar is not None:
            self._bars.update(task.bar, completed=task.done, state=f"{counted}, {task.state(now)}".rstrip(", "))
        elif now - task.printed >= self._interval:
            task.printed = now
            self._line(f"{task.text}: {counted}, {task.state(now)}".rstrip(", "))

    def _end(self, event: Event) -> None:
        task, now = self._tasks.pop(), self._now()
        task.done, task.facts = event.done or task.total or task.done, event.facts or task.facts
        if self._bars is not None and task.bar is not None:
            self._bars.remove_task(task.bar)
        if not self._tasks:
            self.close()
        took = f"{task.done:,} in {_duration(now - task.started)}" if task.done else _duration(now - task.started)
        facts = "".join(f", {_fact(name, value)}" for name, value in task.facts.items())
        self._line(f"{task.text}: {took}{facts}")

    def _line(self, text: str, style: str = "") -> None:
        self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def _fact(name: str, value: float) -> str:
    return f"{_number(value)} {name}" if name.endswith("/s") else f"{name} {_number(value)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
