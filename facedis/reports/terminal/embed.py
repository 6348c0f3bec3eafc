"""Terminal report of an embedding."""

from collections.abc import Iterator, Mapping
from typing import Any

from facedis.reports.numbers import count, model_line


def render(result: Mapping[str, Any]) -> Iterator[str]:
    """Render a record of kind "embedding"."""
    size = f"{count(result['n'], 'face')}, {result['bytes'] / 1e6:,.1f} MB, {result['rate']:,.1f} images/s"
    yield f"Written: {result['output']} ({size})"
    yield f"Codes: {', '.join(f'{name} ({dimension})' for name, dimension in result['codes'].items())}"
    yield model_line(result)
    if result["several"]:
        yield f"{count(result['several'], 'image')} with several faces: the largest face was encoded"
    for problem in result["problems"]:
        yield f"  skipped: {problem['image']}: {problem['why']}"
    hidden = result["left_out"] - len(result["problems"])
    if hidden > 0:
        yield f"  and {count(hidden, 'more image')} skipped"
