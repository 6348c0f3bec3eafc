"""CASIA-WebFace in one RecordIO file, as face recognition code distributes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from facedis.datasets.formats.recordio import read_image, read_labels, record_offsets
from facedis.datasets.formats.tables import BadRow, parse_int, read_lines
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError

_REC, _IDX, _LST = "train.rec", "train.idx", "train.lst"


class CasiaRec:
    """`train.rec`, optionally with `train.idx` (record offsets) and `train.lst` (identity folders).

    Record 0 has no image: its first label is the number of the first record that describes an identity
    instead of a face. The faces are aligned, 112 x 112 pixels. Identities are named by their folders
    in the list, without it by the numbers in the records.
    """

    name = "casia-rec"
    cropped = True

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 if there is a `train.rec`, else 0."""
        return 2 if (root / _REC).is_file() else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per face, sorted by number; unreadable records are skipped.

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
        """Return the JPEG file of a face."""
        return read_image(self.root / record.container, record.offset)

    def _faces(self, file: BinaryIO) -> Iterator[FaceRecord | Skipped]:
        folders, end = self._folders(), None
        for item in self._index():
            if isinstance(item, Skipped):
                yield item
                continue
            number, offset = item
            try:
                labels = read_labels(file, offset)
            except ValueError as error:
                yield Skipped(f"{_REC}/{number}", 0, str(error))
                continue
            if number == 0 and len(labels) > 1:
                end = int(labels[0])
            elif end is None or number < end:
                identity = folders.get(number) or str(int(labels[0]))
                yield FaceRecord(f"{_REC}/{number}", identity=identity, container=_REC, offset=offset)

    def _index(self) -> Iterator[tuple[int, int] | Skipped]:
        """Yield (number, byte offset) of each record, by rising number, after the bad lines of the index."""
        if not (self.root / _IDX).is_file():
            yield from enumerate(record_offsets(self.root / _REC))
            return
        offsets: dict[int, int] = {}
        for line, _, text in read_lines(self.root / _IDX):
            try:
                number, offset = (parse_int(word, "number") for word in (text or "?").split())
                if number < 0 or offset < 0 or number in offsets:
                    raise BadRow("its number or offset is negative, or its number is listed twice")
                offsets[number] = offset
            except ValueError as error:
                reason = str(error) if isinstance(error, BadRow) else "it is not a number and an offset"
                yield Skipped(_IDX, line, reason)
        yield from sorted(offsets.items())

    def _folders(self) -> dict[int, str]:
        """The identity folder by record number; line n of the list belongs to record n."""
        if not (self.root / _LST).is_file():
            return {}
        paths = ((line, (text or "").split("\t")) for line, _, text in read_lines(self.root / _LST))
        return {line: cells[1].replace("\\", "/").split("/")[-2] for line, cells in paths if "/" in "".join(cells[1:2])}
