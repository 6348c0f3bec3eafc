import io

from rich.console import Console

from facedis.reports.terminal.align import render

RECORD = {
    "rows": 2617,
    "n": 2600,
    "status": {"ok": 2599, "several": 1, "no_face": 10, "missing": 7},
    "splits": {"train": {"happiness": 2000, "fear": 3}, "none": {"happiness": 590, "fear": 6, "unlabelled": 1}},
    "identities": 667,
    "problems": [{"image": f"{number}.jpg", "status": "no_face"} for number in range(17)],
    "rate": 88.04,
    "size": 160,
    "output": "faces.h5",
}


def printed(record):
    console = Console(file=io.StringIO(), width=80)
    for part in render(record):
        console.print(part)
    return console.file.getvalue()


def row(text, name):
    """The cells of the table row that begins with `name`."""
    line = next(line for line in text.splitlines() if line.startswith(f"│ {name}"))
    return [cell.strip() for cell in line.strip("│").split("│")][1:]


def test_the_report_counts_images_and_people():
    text = printed(RECORD)
    assert row(text, "one face") == ["2,599", "99.3%"]
    assert row(text, "file missing") == ["7", "0.3%"]
    assert row(text, "happiness") == ["2,000", "590"]
    assert row(text, "unlabelled") == ["0", "1"]
    assert "667 people" in text


def test_the_first_problems_are_listed_and_the_others_counted():
    text = printed(RECORD)
    assert "no face found: 4.jpg" in text and "no face found: 5.jpg" not in text
    assert "and 12 more images without a face" in text


def test_the_last_line_has_path_and_speed():
    assert printed(RECORD).rstrip().endswith("Written: faces.h5 (2,600 faces of 160 px, 88.0 images/s)")
    assert printed(RECORD | {"rate": None}).rstrip().endswith("Written: faces.h5 (2,600 faces of 160 px)")


def test_skipped_rows_of_the_dataset_are_counted():
    assert "and 3 dataset rows skipped" in printed(RECORD | {"skipped": 3})
    assert "skipped" not in printed(RECORD | {"skipped": 0})
