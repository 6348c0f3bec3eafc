"""Predictions as lines of a terminal table, as JSON lines and as CSV."""

import csv
import json
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

#: Classes that a line of the terminal names beside the likeliest.
_RUNNERS_UP = 2
_BOX = 22


def json_line(prediction: Mapping[str, Any]) -> str:
    """One picture as one line of JSON, in plain ASCII so that odd file names survive every terminal."""
    return json.dumps(prediction)


class PredictionLines:
    """The terminal table, written line by line: no width depends on what is still to come.

    Args:
        classes: Names of the expressions.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self._width = max(map(len, classes), default=0)
        self._then, self._begun = _RUNNERS_UP * (self._width + 9), False

    def of(self, prediction: Mapping[str, Any]) -> list[str]:
        """A line for each face of a picture, and one for its neighbours where they were asked for; first the head."""
        name = display_name(prediction)
        lines = []
        if prediction["faces"] and not self._begun:
            lines, self._begun = [self._line("expression", "sure", "then", "box", "image")], True
        for face in prediction["faces"]:
            others = list(face["probabilities"].items())[1 : 1 + _RUNNERS_UP]
            then = ", ".join(f"{other} {probability:.1%}" for other, probability in others)
            box = "whole image" if face["box"] is None else "{:.0f},{:.0f} - {:.0f},{:.0f}".format(*face["box"])
            lines.append(self._line(face["expression"], f"{face['confidence']:.1%}", then, box, name))
            if face["neighbours"]:
                lines.append(f"{'':{self._width}}  like: {'; '.join(map(_neighbour, face['neighbours']))}")
        return lines

    def _line(self, expression: str, sure: str, then: str, box: str, name: str) -> str:
        return f"{expression:{self._width}}  {sure:>6}  {then:{self._then}}  {box:{_BOX}}  {name}"


class PredictionCsv:
    """Predictions as CSV, a row a face.

    Args:
        file: Where the rows go.
        classes: Names of the expressions, a column each.
    """

    def __init__(self, file: TextIO, classes: Sequence[str]) -> None:
        columns = ("file", "frame", "seconds", "left", "top", "right", "bottom", "detection", "expression")
        names = [f"p_{name}" for name in classes]
        self._classes, self._writer = classes, csv.writer(file, lineterminator="\n")
        self._writer.writerow([*columns, "confidence", *names])

    def add(self, prediction: Mapping[str, Any]) -> None:
        """The faces of one picture."""
        for face in prediction["faces"]:
            box = face["box"] or [None] * 4
            where = (_printable(prediction["file"]), prediction["frame"], prediction["seconds"], *box)
            values = [face["probabilities"][name] for name in self._classes]
            self._writer.writerow([*where, face["detection"], face["expression"], face["confidence"], *values])


def display_name(prediction: Mapping[str, Any]) -> str:
    """A picture's name as a terminal can show it, with the frame of a video."""
    name = " ".join(_printable(prediction["file"]).splitlines())
    return name if prediction["frame"] is None else f"{name} frame {prediction['frame']}"


def summary(faces: int, pictures: int, without: int, temperature: float | None) -> str:
    """The last line: what was found, and what the probabilities are."""
    found = f"{_plural(faces, 'face')} in {_plural(pictures - without, 'picture')}"
    left = f", {_plural(without, 'picture')} without" if without else ""
    if temperature is None:
        return f"{found}{left}. The probabilities are not calibrated: the run has no calibration.json."
    return f"{found}{left}. Calibrated on val faces of the run's dataset, temperature {temperature:.2f}."


def _neighbour(near: Mapping[str, Any]) -> str:
    return f"{near['image']} ({near['expression'] or 'unlabelled'}, {near['cosine']:.2f})"


def _plural(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _printable(name: str) -> str:
    """A file name whose bytes are no text, with marks where it is none."""
    return name.encode("utf-8", "replace").decode("utf-8")
