import importlib.util
import re
import sys
from pathlib import Path
from typing import Annotated, Literal

import pytest
import typer

from facedis import plugins

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def _load():
    spec = importlib.util.spec_from_file_location("generate_commands", DOCS / "generate_commands.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generator = _load()


def example(
    images: Annotated[list[Path], typer.Argument(help="The images.")],
    folder: Annotated[Path | None, typer.Argument(help="Where.", metavar="FOLDER")] = None,
    beta1: Annotated[float | None, typer.Option(help="This | that.")] = None,
    kind: Annotated[Literal["box", "none"], typer.Option("--kind", "-k", help="How.", rich_help_panel="Cut")] = "box",
    flag: Annotated[bool, typer.Option("--flag/--no-flag", help="Whether.")] = False,
) -> None:
    """Say hello.

    And more.
    \f
    Not for users.
    """


def test_no_page_is_stale():
    wanted = generator.pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "commands").glob("*.md")}
    stale = [name for name in {*wanted, *there} if wanted.get(name) != there.get(name)]
    assert not stale, f"run `python docs/generate_commands.py`: {', '.join(sorted(stale))}"


def test_every_command_of_ours_is_in_the_navigation():
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:")[2]
    for name, point in plugins.discover(plugins.COMMANDS).items():
        if point.value.startswith("facedis."):
            assert f"- {name}: commands/{name}.md" in nav


def test_a_page_shows_what_the_signature_says():
    text = generator.page("example", example)
    assert "facedis example [OPTIONS] IMAGES... [FOLDER]" in text
    assert "Say hello.\n\nAnd more.\n" in text
    assert "Not for users" not in text
    for line in (
        "| `IMAGES...` | The images. |",
        "| `FOLDER` | Where. |",
        "| `--beta1 NUMBER` | This \\| that. |",
        "| `--kind, -k {box,none}` | How. Default: `box`. |",
        "| `--flag/--no-flag` | Whether. |",
    ):
        assert f"{line}\n" in text
    assert text.index("`--beta1") < text.index("## Cut") < text.index("`--kind")


def test_an_option_left_open_shows_the_default_of_the_settings():
    def train(beta1: Annotated[float | None, typer.Option(help="Weight.")] = None) -> None:
        """Train."""

    assert "| `--beta1 NUMBER` | Weight. Default: `0`. |" in generator.page("train", train)
    assert "Default" not in generator.page("other", train)


def test_checking_tells_and_writing_mends(tmp_path, monkeypatch, capsys):
    def hello() -> None:
        """Say hello."""

    monkeypatch.setattr(generator, "FOLDER", tmp_path / "commands")
    monkeypatch.setattr(generator, "pages", lambda: {"hello.md": generator.page("hello", hello)})
    monkeypatch.setattr(sys, "argv", ["generate_commands.py", "--check"])
    assert generator.main() == 1
    assert capsys.readouterr().out == "stale: docs/commands/hello.md\n"
    assert not (tmp_path / "commands").exists()
    monkeypatch.setattr(sys, "argv", ["generate_commands.py"])
    (tmp_path / "commands").mkdir()
    (tmp_path / "commands" / "gone.md").write_text("a command that is no more")
    assert generator.main() == 0
    assert [path.name for path in (tmp_path / "commands").iterdir()] == ["hello.md"]
    monkeypatch.setattr(sys, "argv", ["generate_commands.py", "--check"])
    assert generator.main() == 0


TEXTS = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_and_options_shown_exist(text):
    pages = generator.pages()
    blocks = text.read_text(encoding="utf-8").split("```")[1::2]
    lines = [
        re.split("[#|]", line)[0] for block in blocks for line in block.splitlines() if line.startswith("facedis ")
    ]
    for line in lines:
        name, *words = line.split()[1:]
        page = pages[f"{name}.md"]
        for option in (word for word in words if word.startswith("-")):
            assert re.search(rf"^\| `([^`]*, )?{option}[ `,/]", page, re.MULTILINE), f"{line}: no option {option}"
