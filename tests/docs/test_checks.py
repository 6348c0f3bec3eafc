import importlib.util
import sys
from pathlib import Path

from tests.datasets.trees import TREES

DOCS = Path(__file__).parents[2] / "docs"


def _load():
    spec = importlib.util.spec_from_file_location("generate_checks", DOCS / "generate_checks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generator = _load()


def test_the_page_is_not_stale_and_has_every_layout():
    page = generator.PAGE.read_text(encoding="utf-8")
    assert page == generator.text(), "run `python docs/generate_checks.py`"
    titles = [line[3:] for line in page.splitlines() if line.startswith("## ")]
    assert titles == [*(tree.title for tree in TREES.values()), generator.LEAKY]
    for tree in TREES.values():
        assert f"read as {tree.reader}, " in page


def test_the_page_is_in_the_navigation():
    assert ": checks.md" in (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:")[2]


def test_checking_tells_and_writing_mends(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(generator, "PAGE", tmp_path / "checks.md")
    monkeypatch.setattr(generator, "text", lambda: "hello")
    monkeypatch.setattr(sys, "argv", ["generate_checks.py", "--check"])
    assert generator.main() == 1
    assert capsys.readouterr().out == "stale: docs/checks.md\n"
    monkeypatch.setattr(sys, "argv", ["generate_checks.py"])
    assert generator.main() == 0
    assert (tmp_path / "checks.md").read_text() == "hello"


def test_the_last_copy_shows_what_leaks():
    leaky = generator.section(generator.LEAKY, generator.leaky)
    assert "equal images: 2, 1 of them across splits, 1 with another expression" in leaky
    assert "people in several splits: 1: Ann" in leaky
