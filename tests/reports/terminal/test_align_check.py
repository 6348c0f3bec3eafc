import io

from rich.console import Console

from facedis.reports.terminal.align_check import render

RECORD = {
    "source": "data",
    "dataset": "lfw",
    "cropped": False,
    "rows": 1234,
    "people": 56,
    "splits": {"train": {"fear": 1200}, "none": {"unlabelled": 34}},
    "counts": [
        {"what": "train", "found": 1200, "published": [4000, 3999], "agrees": False, "meaning": "m"},
        {"what": "people", "found": 56, "published": [56], "agrees": True, "meaning": ""},
    ],
    "images": {"ok": 1226, "missing": 8},
    "problems": [{"image": f"{number}.jpg", "status": "missing", "reason": ""} for number in range(8)],
    "skipped": 3,
    "reasons": [
        {"why": "it has no label", "count": 2, "file": "a.csv", "line": 7},
        {"why": "its name tells nothing", "count": 1, "file": "b.jpg", "line": 0},
    ],
    "duplicates": {"images": 9, "across_splits": 4, "contradicting": 1, "pairs": [["a.jpg", "b.jpg"]]},
    "people_across": {"people": 2, "names": ["Ann", "Bo"]},
    "pairs": {"genuine": 3000, "impostor": 2999, "absent": 2, "skipped": 0},
    "findings": ["train: m"],
}


def printed(**changes):
    console = Console(file=io.StringIO(), width=100)
    for part in render(RECORD | changes):
        console.print(part)
    return console.file.getvalue()


def test_the_report_lists_counts_and_problems():
    text = printed()
    for line in (
        "data: dataset lfw, 1,234 images, 56 people",
        "images: 1,226 ok, 8 missing",
        "  missing: 4.jpg",
        "skipped rows: 3",
        "  2: it has no label (first: a.csv, line 7)",
        "  1: its name tells nothing (first: b.jpg)",
        "duplicate images: 9, 4 of them across splits, 1 with different expressions",
        "  a.jpg = b.jpg",
        "people in several splits: 2 (Ann, Bo)",
        "pairs: 3,000 genuine, 2,999 impostor, 2 with missing images",
        "- train: m",
    ):
        assert f"{line}\n" in text
    assert "5.jpg" not in text
    assert [cell.strip() for cell in text.split("│ train ")[1].split("│")[1:4]] == [
        "1,200",
        "4,000 or 3,999",
        "differs",
    ]
    assert "differs" not in text.split("│ people ")[1].splitlines()[0]


def test_unknown_counts_are_not_shown():
    text = printed(counts=[], people=0, pairs=None, cropped=True)
    assert "No published counts to compare with." in text
    assert "1,234 cropped faces\n" in text
    assert "people in several splits" not in text and "pairs" not in text
