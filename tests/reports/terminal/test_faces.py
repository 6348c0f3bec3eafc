import io

from rich.console import Console

from facedis.reports.terminal.faces import render_packing, render_summary, render_verification

SUMMARY = {
    "faces": "faces.h5",
    "bytes": 7_654_321,
    "rows": 110,
    "n": 100,
    "status": {"ok": 100, "no_face": 9, "pending": 1},
    "splits": {"train": {"fear": 60}, "test": {"fear": 40}},
    "people_in": {"train": 30, "test": 20},
    "identities": 45,
    "grey": True,
    "size": 48,
    "crop": "none",
    "margin": 0.0,
    "detector": "none",
    "dataset": "jaffe",
    "source": "data",
    "fingerprint": "0123456789abcdef",
    "made_by": "1.0",
}
CHECKS = [
    {"what": "labels are classes", "bad": 0, "rows": 9},
    {"what": "pixels are those that were written", "bad": 2, "rows": 9},
]


def printed(render, record):
    console = Console(file=io.StringIO(), width=100)
    for part in render(record):
        console.print(part)
    return console.file.getvalue()


def test_the_summary_describes_the_cache():
    text = printed(render_summary, SUMMARY)
    for line in (
        "faces.h5: 100 faces of 48 px, greyscale, 7.7 MB",
        "people: 45 (30 in train, 20 in test)",
        "source: data, dataset jaffe",
        "crop: none, margin 0, detector none",
        "created by facedis 1.0, fingerprint 0123456789ab",
    ):
        assert f"{line}\n" in text
    assert "no face found" in text and "not processed yet" in text
    assert "people:" not in printed(render_summary, SUMMARY | {"people_in": {"train": 0}})


def test_the_verification_shows_failed_checks_and_the_verdict():
    record = {"faces": "faces.h5", "rows": 9, "checks": CHECKS, "whole": False, "source": "changed"}
    record |= {"changed_images": None, "changed_first": []}
    text = printed(render_verification, record)
    assert "The source has changed" in text and text.endswith("faces.h5: damaged, 9 rows\n")
    assert text.split("pixels are those that were written")[1].split()[1] == "2"
    assert printed(render_verification, record | {"whole": True, "source": "same"}).endswith(
        "faces.h5: intact, 9 rows\n"
    )


def test_packing_shows_both_sizes():
    record = {"output": "p.h5", "rows": 9, "storage": "png", "before": 7_654_321, "after": 1_234_567}
    assert printed(render_packing, record) == "Written: p.h5 (9 rows as png, 1.2 MB, before 7.7 MB)\n"


def test_the_verification_lists_changed_images():
    record = {"faces": "faces.h5", "rows": 9, "checks": CHECKS, "whole": True, "source": "changed"}
    record |= {"changed_images": 7, "changed_first": [f"{number}.png" for number in range(7)]}
    assert "now give a different face: 7 (0.png, 1.png, 2.png, 3.png, 4.png)" in printed(render_verification, record)
    assert "5.png" not in printed(render_verification, record)
