"""Figures in words: value, 95 % interval, chance level, n."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from facedis.result import Estimate

#: A figure as measured, as it stands in a record, or absent.
AnyEstimate = Estimate | Mapping[str, Any] | None
MISSING = "–"


@dataclass(frozen=True)
class NumberFormat:
    """How a kind of number is written.

    Attributes:
        scale: What the value is multiplied by.
        digits: Decimals.
        unit: Written after the value, with its space.
    """

    scale: float = 1.0
    digits: int = 3
    unit: str = ""

    def value(self, figure: AnyEstimate) -> str:
        """The value with its unit: "73.3 %"."""
        return self._with_unit(_get(figure, "value"))

    def interval(self, figure: AnyEstimate) -> str:
        """The interval without its unit: "[67.6, 78.4]", "" where there is none."""
        low, high = _get(figure, "low"), _get(figure, "high")
        return "" if low is None or high is None else f"[{self._number(low)}, {self._number(high)}]"

    def chance(self, figure: AnyEstimate) -> str:
        """The chance level with its unit, "" where there is none."""
        chance = _get(figure, "chance")
        return "" if chance is None else self._with_unit(chance)

    def with_interval(self, figure: AnyEstimate) -> str:
        """Value and interval: "73.3 % [67.6, 78.4]"."""
        return f"{self.value(figure)} {self.interval(figure)}".rstrip()

    def with_chance(self, figure: AnyEstimate) -> str:
        """Value, interval and chance: "73.3 % [67.6, 78.4], chance 12.5 %"."""
        chance = self.chance(figure)
        return self.with_interval(figure) + (f", chance {chance}" if chance else "")

    def full(self, figure: AnyEstimate) -> str:
        """Everything: "73.3 % [67.6, 78.4], chance 12.5 %, n 254"."""
        n = integer(_get(figure, "n"))
        return self.with_chance(figure) + (f", n {n}" if n else "")

    def _with_unit(self, value: float | None) -> str:
        return MISSING if value is None else self._number(value) + self.unit

    def _number(self, value: float) -> str:
        text = f"{value * self.scale:.{self.digits}f}"
        return text[1:] if text.startswith("-") and not float(text) else text  # no "-0.0"


PERCENT = NumberFormat(100.0, 1, " %")
DECIMAL = NumberFormat()
NATS = NumberFormat(unit=" nats")


def integer(n: int | None) -> str:
    """A whole number with thousands separated; "" of None."""
    return "" if n is None else f"{n:,}"


def model_line(result: Mapping[str, Any]) -> str:
    """Which model answered, as it is called."""
    return f"Model: {result['model']}"


def compare_to_chance(figure: AnyEstimate) -> Literal["above", "at", "below"] | None:
    """Where the whole interval lies; "at" where it holds the chance level, None where it cannot be said."""
    low, high, chance = (_get(figure, name) for name in ("low", "high", "chance"))
    if low is None or high is None or chance is None:
        return None
    return "above" if low > chance else "below" if high < chance else "at"


def _get(figure: AnyEstimate, name: str) -> Any:
    if figure is None:
        return None
    value = (asdict(figure) if isinstance(figure, Estimate) else figure).get(name)
    return None if isinstance(value, float) and not math.isfinite(value) else value
