"""CASIA-WebFace as face recognition tools share it: all faces in one RecordIO file."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from facedis.datasets.formats.recordio import read_image, read_labels, record_offsets
from facedis.datasets.formats.tables import BadRow, parse_int, read_lines
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError

_REC, _IDX, _LST = "train.rec", "train.idx", "train.lst"


class CasiaRec:
    """`train.rec`, with `train.idx` (where each record begins) and `train.lst` (its folder) where there.

    Record 0 is no image: it says from which number on the records describe people instead of showing
    faces. The faces are 112 x 112 pixels and aligned already. People are named by their folders in
    the list, without it by the numbers in the records.
    """

    name = "casia-rec"
    cropped = True

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 where there is a `train.rec`."""
        return 2 if (root / _REC).is_file() else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """One record a face, by rising number; a record that cannot be read is skipped.

        Raises:
            InputError: The RecordIO file or its index cannot be read.
        """
        try:
            with open(self.root / _REC, "rb") as file:
                yield from self._faces(file)
        except OSError as error:
            raise InputError(
                f"cannot read {self.root / _REC}: {error.strerror}", "name the folder with train.rec"
            ) from error

    def image_bytes(self, record: FaceRecord) -> bytes:
        """The JPEG file of a face."""
        return read_image(self.root / record.container, record.offset)

    def _faces(self, file: BinaryIO) -> Iterator[FaceRecord | Skipped]:
        folders, end = self._folders(), None
        for line, number, offset in self._places():
            if isinstance(number, str):
                yield Skipped(_IDX, line, number)
                continue
            try:
                labels = read_labels(file, offset)
            except ValueError as problem:
                yield Skipped(f"{_REC}/{number}", 0, str(problem))
                continue
            if number == 0 and len(labels) > 1:
                end = int(labels[0])
            elif end is None or number < end:
                identity = folders.get(number) or str(int(labels[0]))
                yield FaceRecord(f"{_REC}/{number}", identity=identity, container=_REC, offset=offset)

    def _places(self) -> Iterator[tuple[int, int | str, int]]:
        """(line of the index, number of the record or what is wrong with the line, offset)."""
        if not (self.root / _IDX).is_file():
            yield from ((0, number, offset) for number, offset in enumerate(record_offsets(self.root / _REC)))
            return
        places = {}
        for line, _, text in read_lines(self.root / _IDX):
            try:
                number, offset = (parse_int(word, "number") for word in (text or "?").split())
                if number < 0 or offset < 0 or number in places:
                    raise BadRow("it gives no new place in the file")
                places[number] = line, offset
            except ValueError as problem:
                yield line, str(problem) if isinstance(problem, BadRow) else "it is not a number and a place", 0
        for number in sorted(places):
            line, offset = places[number]
            yield line, number, offset

    def _folders(self) -> dict[int, str]:
        """The person's folder by the number of the record: the list's lines are the records from 1 on."""
        if not (self.root / _LST).is_file():
            return {}
        paths = ((line, (text or "").split("\t")) for line, _, text in read_lines(self.root / _LST))
        return {line: cells[1].replace("\\", "/").split("/")[-2] for line, cells in paths if "/" in "".join(cells[1:2])}
