"""Predictions as lines of a terminal table, as JSON lines and as CSV."""

import csv
import json
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from facedis.reports.numbers import count

#: Number of further expressions listed after the predicted one.
_RUNNERS_UP = 2
_BOX_WIDTH = 22


def json_line(prediction: Mapping[str, Any]) -> str:
    """The prediction of one image as one line of ASCII JSON, so that any file name can be printed."""
    return json.dumps(prediction)


class PredictionLines:
    """Rows of a terminal table of fixed column widths, printed as predictions arrive.

    Args:
        classes: Names of the expressions.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self._width = max(map(len, ("expression", *classes)))
        self._runners_up_width, self._header_shown = _RUNNERS_UP * (self._width + 9), False

    def of(self, prediction: Mapping[str, Any]) -> list[str]:
        """One line per face of an image and one per face with neighbours; the header precedes the first face."""
        name = display_name(prediction)
        lines = []
        if prediction["faces"] and not self._header_shown:
            lines.append(self._line("expression", "confidence", "next", "box", "image"))
            self._header_shown = True
        for face in prediction["faces"]:
            others = list(face["probabilities"].items())[1 : 1 + _RUNNERS_UP]
            runners_up = ", ".join(f"{other} {probability:.1%}" for other, probability in others)
            box = "full image" if face["box"] is None else "{:.0f},{:.0f} - {:.0f},{:.0f}".format(*face["box"])
            lines.append(self._line(face["expression"], f"{face['confidence']:.1%}", runners_up, box, name))
            if face["neighbours"]:
                lines.append(f"{'':{self._width}}  neighbours: {'; '.join(map(_neighbour, face['neighbours']))}")
        return lines

    def _line(self, expression: str, confidence: str, runners_up: str, box: str, name: str) -> str:
        columns = f"{expression:{self._width}}  {confidence:>10}  {runners_up:{self._runners_up_width}}"
        return f"{columns}  {box:{_BOX_WIDTH}}  {name}"


class PredictionCsv:
    """Writes predictions as CSV, one row per face.

    Args:
        file: File that the rows are written to.
        classes: Names of the expressions; each has a column of probabilities.
    """

    def __init__(self, file: TextIO, classes: Sequence[str]) -> None:
        columns = ("file", "frame", "seconds", "left", "top", "right", "bottom", "detection", "expression")
        self._classes, self._writer = classes, csv.writer(file, lineterminator="\n")
        self._writer.writerow([*columns, "confidence", *(f"p_{name}" for name in classes)])

    def add(self, prediction: Mapping[str, Any]) -> None:
        """Write one row per face of an image."""
        for face in prediction["faces"]:
            box = face["box"] or [None] * 4
            image = (_printable(prediction["file"]), prediction["frame"], prediction["seconds"])
            values = [face["probabilities"][name] for name in self._classes]
            self._writer.writerow([*image, *box, face["detection"], face["expression"], face["confidence"], *values])


def display_name(prediction: Mapping[str, Any]) -> str:
    """The file name on one printable line, with the frame number of a video."""
    name = " ".join(_printable(prediction["file"]).splitlines())
    return name if prediction["frame"] is None else f"{name} frame {prediction['frame']}"


def summary(faces: int, images: int, skipped: int, temperature: float | None, model: str) -> str:
    """The last lines: number of faces, calibration and model.

    Args:
        faces: Number of faces.
        images: Number of images.
        skipped: Number of these without a face, or unreadable.
        temperature: Temperature of the calibration; None if the model is not calibrated.
        model: Name of the model.
    """
    found = f"{count(faces, 'face')} in {count(images - skipped, 'image')}"
    if skipped:
        found += f", {count(skipped, 'image')} skipped"
    if temperature is None:
        calibration = "The probabilities are not calibrated: the run has no calibration.json."
    else:
        calibration = f"Probabilities calibrated on the validation set, temperature {temperature:.2f}."
    return f"{found}. {calibration}\nModel: {model}"


def _neighbour(neighbour: Mapping[str, Any]) -> str:
    return f"{neighbour['image']} ({neighbour['expression'] or 'unlabelled'}, {neighbour['cosine']:.2f})"


def _printable(name: str) -> str:
    """A file name with bytes that are not valid UTF-8 replaced."""
    return name.encode("utf-8", "replace").decode("utf-8")
