"""Writes docs/checks.md: what `facedis align --check` prints for a small copy of each layout that is read.

Run `python docs/generate_checks.py` after changing a reader or the check; `--check` only says whether
the page is stale. The copies are those of the tests, made afresh.
"""

import io
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

PAGE = Path(__file__).parent / "checks.md"
sys.path.insert(0, str(PAGE.parents[1]))

from rich.console import Console  # noqa: E402

from facedis.config import AlignConfig  # noqa: E402
from facedis.faces.alignment.check import check_dataset  # noqa: E402
from facedis.reports.terminal.align_check import render  # noqa: E402
from tests.datasets.trees import TREES, picture, write  # noqa: E402

_TOP = """\
<!-- Written by docs/generate_checks.py from the program itself: change the program, not this page. -->

# What a check shows

`facedis align --check FOLDER` says how a folder is read and compares it with what was published, before hours
are spent on it. Below it does so for a tiny fabricated copy of each layout, in the layout's own form: names,
headers, notation of numbers, and what is broken in the copies that go round. That nearly all numbers differ is
as it should be: the copies have a dozen images. The last one is a copy in which images and people are in several
splits.
"""
_SHOWN = 14


def text() -> str:
    """The whole page."""
    return "\n".join([_TOP, *(section(tree.title, tree.make) for tree in TREES.values()), section(LEAKY, leaky)])


LEAKY = "Images and people in several splits"


def leaky(root: Path) -> None:
    """A list in which the test set is not unseen, and one picture has two expressions."""
    for image, seed in (("a.png", 1), ("b.png", 2), ("c.png", 1), ("d.png", 2), ("e.png", 3)):
        picture(seed, 64).save(root / image)
    rows = ["a.png,fear,Ann,train", "b.png,anger,Bo,train", "c.png,fear,Ann,test", "d.png,disgust,Bo,train"]
    write(root, "labels.csv", "\n".join(["image,expression,identity,split", *rows, "e.png,fear,Cy,test", ""]))


def section(title: str, make: Callable[[Path], None]) -> str:
    """One layout: its files, and what the check prints."""
    with tempfile.TemporaryDirectory() as place, _inside(Path(place)):
        root = Path("AffectNet" if title.startswith("AffectNet in folders with names") else "data")
        root.mkdir()
        make(root)
        files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        console = Console(file=io.StringIO(), width=108)
        for part in render(check_dataset(root, AlignConfig())):
            console.print(part)
    more = [f"... and {len(files) - _SHOWN} more"] if len(files) > _SHOWN else []
    printed = "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())
    listed = "\n".join([*files[:_SHOWN], *more])
    return f"## {title}\n\n```\n{listed}\n```\n\n```\nfacedis align --check {root}\n\n{printed}\n```\n"


@contextmanager
def _inside(folder: Path):
    """The current folder for a while, so that no page shows where it was made."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def main() -> int:
    """Write the page, or with --check only compare; 1 where it is stale."""
    wanted = text()
    stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != wanted
    if "--check" in sys.argv[1:]:
        print("stale: docs/checks.md" if stale else "docs/checks.md is up to date")
        return int(stale)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
