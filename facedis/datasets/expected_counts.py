"""Published sizes of the datasets: images, identities and images per expression.

Differences from these counts reveal incomplete, filtered or duplicated copies, and copies whose classes
are numbered in another order.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from facedis.datasets.record import FaceRecord, Reader

_FEWER = "rows are missing: the download is incomplete, or the copy is filtered"
_MORE = "there are more than were published: other images are included, or some are duplicated"


@dataclass(frozen=True, slots=True)
class ExpectedCount:
    """A published count.

    Attributes:
        key: What is counted, a key of `count_records`.
        expected: The count, or several where versions of the dataset differ.
        explanations: Explanations of other known counts.
    """

    key: str
    expected: tuple[int, ...]
    explanations: Mapping[int, str] = field(default_factory=dict)

    def explain(self, found: int, others: Sequence["ExpectedCount"]) -> str:
        """Return the likely reason for the count `found`, "" if it is an expected one.

        Args:
            found: The count in this copy.
            others: All expected counts of the dataset, searched for classes in another order.
        """
        if found in self.expected:
            return ""
        if found in self.explanations:
            return self.explanations[found]
        split, _, _ = self.key.rpartition(" ")
        for other in others:
            if split and found in other.expected and other.key.rpartition(" ")[0] == split:
                name = other.key.rpartition(" ")[2]
                return f"that is the published number of {name}: the classes are numbered in another order"
        return _FEWER if found < min(self.expected) else _MORE


def count_records(records: Iterable[FaceRecord]) -> Counter[str]:
    """Count records by "all", split, expression and "split expression".

    The key "people" counts identities, "sequences" the folders with an expression other than neutral,
    "sequences expression" those with this one.
    """
    counts: Counter[str] = Counter()
    identities, sequences = set(), set()
    for record in records:
        counts.update(("all", record.split or "no split"))
        if record.expression:
            counts.update((record.expression, f"{record.split or 'no split'} {record.expression}"))
        identities.add(record.identity)
        if record.expression and record.expression != "neutral":
            sequences.add((record.image.rpartition("/")[0], record.expression))
    counts["people"] = len(identities - {""})
    counts["sequences"] = len(sequences)
    counts.update(f"sequences {expression}" for _, expression in sequences)
    return counts


def expected_counts_for(reader: Reader) -> list[ExpectedCount]:
    """Return the published counts for a reader with its options; empty where none are known."""
    counts = EXPECTED_COUNTS.get(reader.name, [])
    classes = getattr(reader, "classes", ())
    if reader.name in ("ckplus", "ckplus48") and len(classes) != 8:
        return [count for count in counts if count.key.rpartition(" ")[2] in classes]
    return counts


def _classes(prefix: str, names: str, *numbers: int | tuple[int, ...]) -> Iterator[ExpectedCount]:
    for name, number in zip(names.split(), numbers, strict=True):
        yield ExpectedCount(f"{prefix}{name}", number if isinstance(number, tuple) else (number,))


_EIGHT = "neutral happiness sadness surprise fear disgust anger contempt"
_RAF = "surprise fear disgust happiness sadness anger neutral"
_CK = "anger contempt disgust fear happiness sadness surprise"
_NO_CONTEMPT = "the seven classes without contempt: accuracies are not comparable with those on eight"
_AFFECTNET = [
    ExpectedCount(
        "train",
        (287_651,),
        {
            283_901: _NO_CONTEMPT,
            37_553: "a shared sample of the set: accuracies are not comparable with published ones",
        },
    ),
    ExpectedCount("val", (4_000, 3_999), {3_500: _NO_CONTEMPT, 3_499: _NO_CONTEMPT}),
    *_classes("train ", _EIGHT, 74_874, 134_415, 25_459, 14_090, 6_378, 3_803, 24_882, 3_750),
    *_classes("val ", _EIGHT, 500, 500, 500, 500, 500, 500, 500, (500, 499)),
]
_FER2013 = [ExpectedCount("train", (28_709,)), ExpectedCount("val", (3_589,)), ExpectedCount("test", (3_589,))]
_RAFDB = [
    ExpectedCount("train", (12_271,)),
    ExpectedCount("test", (3_068,)),
    *_classes("train ", _RAF, 1_290, 281, 717, 4_772, 1_982, 705, 2_524),
    *_classes("test ", _RAF, 329, 74, 160, 1_185, 478, 162, 680),
]
_CASIA = (
    ExpectedCount("all", (494_414,), {490_623: "the selection that face recognition code distributes"}),
    ExpectedCount("people", (10_575,), {10_572: "the selection that face recognition code distributes"}),
)
#: Published counts by name of the reader; for the sources see docs/data.md, "Published numbers".
EXPECTED_COUNTS: dict[str, list[ExpectedCount]] = {
    "affectnet": _AFFECTNET,
    "affectnet-2021": _AFFECTNET,
    "affectnet-folders": _AFFECTNET,
    "ckplus": [
        ExpectedCount("sequences", (327,)),
        ExpectedCount("people", (118,), {123: "including people without a labelled sequence"}),
        *_classes("sequences ", _CK, 45, 18, 59, 25, 69, 28, 83),
    ],
    "ckplus48": [
        ExpectedCount("all", (981,)),
        ExpectedCount("people", (118,)),
        *_classes("no split ", _CK, 135, 54, 177, 75, 207, 84, 249),
    ],
    "casia": list(_CASIA),
    "casia-rec": [ExpectedCount("all", (490_623,)), ExpectedCount("people", (10_572,))],
    "rafdb": _RAFDB,
    "rafdb-folders": _RAFDB,
    "fer2013": _FER2013,
    "fer2013-csv": _FER2013,
    "ferplus": [ExpectedCount("train", (25_045,)), ExpectedCount("val", (3_191,)), ExpectedCount("test", (3_137,))],
    "jaffe": [ExpectedCount("all", (213,)), ExpectedCount("people", (10,))],
    "lfw": [ExpectedCount("all", (13_233,)), ExpectedCount("people", (5_749,))],
}
