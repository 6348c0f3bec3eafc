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


def test_page_is_up_to_date_and_complete():
    page = generator.PAGE.read_text(encoding="utf-8")
    assert page == generator.text(), "run `python docs/generate_checks.py`"
    titles = [line[3:] for line in page.splitlines() if line.startswith("## ")]
    assert titles == [*(tree.title for tree in TREES.values()), generator.LEAKY]
    for tree in TREES.values():
        assert f": dataset {tree.reader}, " in page


def test_page_is_in_the_navigation():
    assert ": checks.md" in (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:")[2]


def test_check_reports_and_main_writes(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(generator, "PAGE", tmp_path / "checks.md")
    monkeypatch.setattr(generator, "text", lambda: "hello")
    monkeypatch.setattr(sys, "argv", ["generate_checks.py", "--check"])
    assert generator.main() == 1
    assert capsys.readouterr().out == "outdated: docs/checks.md\n"
    monkeypatch.setattr(sys, "argv", ["generate_checks.py"])
    assert generator.main() == 0
    assert (tmp_path / "checks.md").read_text() == "hello"


def test_last_example_shows_images_and_identities_across_splits():
    leaky = generator.section(generator.LEAKY, generator.leaky)
    assert "duplicate images: 2, 1 of them across splits, 1 with different expressions" in leaky
    assert "people in several splits: 1 (Ann)" in leaky
