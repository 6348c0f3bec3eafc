"""How numbers are written: estimates with their interval and chance level, and counts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from facedis.result import Estimate

#: An estimate as measured, as it is stored in a record, or missing.
AnyEstimate = Estimate | Mapping[str, Any] | None
MISSING = "–"


@dataclass(frozen=True)
class NumberFormat:
    """How one kind of estimate is written.

    Attributes:
        scale: Factor that the value is multiplied by.
        digits: Number of decimals.
        unit: Unit written after the value, with its leading space.
    """

    scale: float = 1.0
    digits: int = 3
    unit: str = ""

    def value(self, estimate: AnyEstimate) -> str:
        """The value with its unit: "73.3 %"."""
        return self._with_unit(_get(estimate, "value"))

    def interval(self, estimate: AnyEstimate) -> str:
        """The interval without its unit: "[67.6, 78.4]"; empty if there is none."""
        low, high = _get(estimate, "low"), _get(estimate, "high")
        return "" if low is None or high is None else f"[{self._number(low)}, {self._number(high)}]"

    def chance(self, estimate: AnyEstimate) -> str:
        """The chance level with its unit; empty if there is none."""
        chance = _get(estimate, "chance")
        return "" if chance is None else self._with_unit(chance)

    def with_interval(self, estimate: AnyEstimate) -> str:
        """Value and interval: "73.3 % [67.6, 78.4]"."""
        return f"{self.value(estimate)} {self.interval(estimate)}".rstrip()

    def with_chance(self, estimate: AnyEstimate) -> str:
        """Value, interval and chance level: "73.3 % [67.6, 78.4], chance 12.5 %"."""
        chance = self.chance(estimate)
        return self.with_interval(estimate) + (f", chance {chance}" if chance else "")

    def full(self, estimate: AnyEstimate) -> str:
        """Value, interval, chance level and n: "73.3 % [67.6, 78.4], chance 12.5 %, n 254"."""
        n = _get(estimate, "n")
        return self.with_chance(estimate) + ("" if n is None else f", n {n:,}")

    def _with_unit(self, value: float | None) -> str:
        return MISSING if value is None else self._number(value) + self.unit

    def _number(self, value: float) -> str:
        text = f"{value * self.scale:.{self.digits}f}"
        return text[1:] if text.startswith("-") and not float(text) else text  # no "-0.0"


PERCENT = NumberFormat(100.0, 1, " %")
DECIMAL = NumberFormat()
RATIO = NumberFormat(digits=2)
NATS = NumberFormat(unit=" nats")


class EstimateRow(NamedTuple):
    """One row of a table of estimates."""

    label: str
    style: NumberFormat
    estimate: AnyEstimate

    def cells(self) -> tuple[str, str, str, str, str]:
        """The cells below `ESTIMATE_COLUMNS`."""
        n, style = _get(self.estimate, "n"), self.style
        number = "" if n is None else f"{n:,}"
        return (
            self.label,
            style.value(self.estimate),
            style.interval(self.estimate),
            style.chance(self.estimate),
            number,
        )


ESTIMATE_COLUMNS = ("", "value", "95 % interval", "chance", "n")


def count(n: int, noun: str, plural: str | None = None) -> str:
    """A count with its noun: "1 image", "1,234 images"; `plural` is needed where it does not end in "s"."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def model_line(result: Mapping[str, Any]) -> str:
    """The line that names the model of a record."""
    return f"Model: {result['model']}"


def compare_to_chance(estimate: AnyEstimate) -> Literal["above", "at", "below"] | None:
    """Position of the interval: "at" if it contains the chance level, None if interval or chance is missing."""
    low, high, chance = (_get(estimate, name) for name in ("low", "high", "chance"))
    if low is None or high is None or chance is None:
        return None
    return "above" if low > chance else "below" if high < chance else "at"


def _get(estimate: AnyEstimate, name: str) -> Any:
    if estimate is None:
        return None
    value = estimate.get(name) if isinstance(estimate, Mapping) else getattr(estimate, name)
    return None if isinstance(value, float) and not math.isfinite(value) else value
