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
    images: Annotated[list[Path], typer.Argument(help="Images.")],
    folder: Annotated[Path | None, typer.Argument(help="Output.", metavar="FOLDER")] = None,
    beta1: Annotated[float, typer.Option(help="This | that.", hidden=True)] = 0.5,
    kind: Annotated[Literal["box", "none"], typer.Option("--kind", "-k", help="Crop.", rich_help_panel="Crop")] = "box",
    model: Annotated[str | None, typer.Option(help="Model.", show_default="the newest run")] = None,
    flag: Annotated[bool, typer.Option("--flag/--no-flag", help="Flag.")] = False,
) -> None:
    """Print a greeting.

    And more, as in pip install 'facedis\\[synth]'.
    \f
    Not for users.
    """


def test_command_pages_are_up_to_date():
    wanted = generator.pages()
    existing = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "commands").glob("*.md")}
    outdated = [name for name in {*wanted, *existing} if wanted.get(name) != existing.get(name)]
    assert not outdated, f"run `python docs/generate_commands.py`: {', '.join(sorted(outdated))}"


def test_every_built_in_command_is_in_the_navigation():
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:")[2]
    for name, point in plugins.discover(plugins.COMMANDS).items():
        if point.value.startswith("facedis."):
            assert f"- {name}: commands/{name}.md" in nav


def test_page_lists_arguments_options_and_defaults():
    text = generator.page("example", example)
    assert "facedis example [OPTIONS] IMAGES... [FOLDER]" in text
    assert "Print a greeting.\n\nAnd more, as in pip install 'facedis[synth]'.\n" in text
    assert "Not for users" not in text
    for line in (
        "| `IMAGES...` | Images. |",
        "| `FOLDER` | Output. |",
        "| `--beta1 NUMBER` | This \\| that. Default: `0.5`. (`--help-all`) |",
        "| `--kind, -k {box,none}` | Crop. Default: `box`. |",
        "| `--model TEXT` | Model. Default: the newest run. |",
        "| `--flag/--no-flag` | Flag. |",
    ):
        assert f"{line}\n" in text
    assert text.index("`--beta1") < text.index("## Crop") < text.index("`--kind")


def test_app_has_one_section_per_command():
    app = typer.Typer(help="Work with examples.")
    app.command("show")(example)
    text = generator.page("examples", app)
    assert "# facedis examples\n\nWork with examples.\n" in text
    assert "## facedis examples show\n\nPrint a greeting.\n" in text
    assert "facedis examples show [OPTIONS] IMAGES... [FOLDER]" in text
    assert "### Crop\n" in text


def test_check_reports_and_main_writes(tmp_path, monkeypatch, capsys):
    def hello() -> None:
        """Print a greeting."""

    monkeypatch.setattr(generator, "FOLDER", tmp_path / "commands")
    monkeypatch.setattr(generator, "pages", lambda: {"hello.md": generator.page("hello", hello)})
    monkeypatch.setattr(sys, "argv", ["generate_commands.py", "--check"])
    assert generator.main() == 1
    assert capsys.readouterr().out == "outdated: docs/commands/hello.md\n"
    assert not (tmp_path / "commands").exists()
    monkeypatch.setattr(sys, "argv", ["generate_commands.py"])
    (tmp_path / "commands").mkdir()
    (tmp_path / "commands" / "gone.md").write_text("a command that does not exist")
    assert generator.main() == 0
    assert [path.name for path in (tmp_path / "commands").iterdir()] == ["hello.md"]
    monkeypatch.setattr(sys, "argv", ["generate_commands.py", "--check"])
    assert generator.main() == 0


TEXTS = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_documented_commands_and_options_exist(text):
    pages = generator.pages()
    blocks = text.read_text(encoding="utf-8").split("```")[1::2]
    lines = [
        re.split("[#|>]", line.removeprefix("$ "))[0]
        for block in blocks
        for line in block.splitlines()
        if line.removeprefix("$ ").startswith("facedis ")
    ]
    for line in lines:
        name, *words = line.split()[1:]
        page = pages[f"{name}.md"]
        for option in (word for word in words if word.startswith("-")):
            pattern = rf"^\| `([^`]*, )?{re.escape(option)}[ `,/]"
            assert option == "-" or re.search(pattern, page, re.MULTILINE), f"{line}: no option {option}"
