"""The import rules of docs/architecture.md, and the packages that `facedis --help` may load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import facedis

ROOT = Path(facedis.__file__).parent
HEAVY = {"torch", "torchvision", "numpy", "h5py", "sklearn", "scipy", "PIL", "matplotlib", "lightning_fabric"}
# module -> what it must never import, anywhere in the file
NEVER = {
    "errors.py": {"facedis", "typer", *HEAVY},
    "taxonomy.py": {"typer", *HEAVY},
    "config": {"typer", *HEAVY},
    "presets": {"typer", *HEAVY},
    "plugins.py": {"typer", *HEAVY},
    "datasets": {"typer", *HEAVY, "facedis.faces", "facedis.model", "facedis.training"},
    "faces": {"typer", "rich", "facedis.model", "facedis.training", "facedis.tasks", "facedis.reports"},
    "model/losses": {
        "numpy",
        "h5py",
        "facedis.config",
        "facedis.faces",
        "facedis.model.network",
        "facedis.model.storage",
    },
    "pretrained": {"facedis", "typer", "rich", *HEAVY},
    "model": {"typer", "rich", "facedis.training", "facedis.tasks", "facedis.faces"},
    "metrics": {"h5py", "typer", "rich", "facedis.faces", "facedis.model", "facedis.training"},
    "training": {"typer", "rich", "facedis.reports", "facedis.tasks"},
    "tasks": {"typer", "rich", "matplotlib", "facedis.reports"},
    "reports": {
        "torch",
        "typer",
        "facedis.model",
        "facedis.training",
        "facedis.tasks",
        *(f"facedis.faces.{part}" for part in ("alignment", "cache", "cropping", "detection")),
    },
}
#: From the lowest layer up; a layer imports itself and lower ones.
LAYERS = (
    ("errors", "taxonomy"),
    ("plugins", "paths", "atomic_io", "events", "config", "presets", "result", "locks"),
    ("pretrained", "datasets"),
    ("synthetic",),
    ("faces",),
    ("model", "metrics"),
    ("training",),
    ("tasks",),
    ("reports",),
    ("commands",),
    ("cli", "__main__"),
)


def _files(place):
    path = ROOT / place
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _imports(path, everywhere=True):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {id(child) for node in tree.body if _is_type_checking(node) for child in ast.walk(node)}
    for node in ast.walk(tree) if everywhere else tree.body:
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_type_checking(node):
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _is(name, banned):
    return name == banned or name.startswith(banned + ".")


@pytest.mark.parametrize("place", NEVER)
def test_the_house_rules_of_importing_hold(place):
    broken = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in _files(place)
        for name in _imports(path)
        for banned in NEVER[place]
        if _is(name, banned)
    ]
    assert not broken


def test_no_module_imports_from_a_higher_layer():
    level = {name: number for number, names in enumerate(LAYERS) for name in names}
    upward = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted(ROOT.rglob("*.py"))
        if path.relative_to(ROOT).parts[0].removesuffix(".py") in level
        for name in _imports(path)
        if name.startswith("facedis.")
        and level.get(name.split(".")[1], 0) > level[path.relative_to(ROOT).parts[0].removesuffix(".py")]
    ]
    assert not upward


def test_there_is_no_import_circle():
    modules = {_module(path): path for path in ROOT.rglob("*.py")}
    graph = {name: {each for each in _imports(path) if each in modules} - {name} for name, path in modules.items()}
    while leaves := [name for name, imported in graph.items() if not imported & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert not graph


def _module(path):
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


def test_metrics_import_torch_only_inside_functions_of_probes():
    for path in _files("metrics"):
        inside_functions_allowed = path.parent == ROOT / "metrics" / "probes"
        names = _imports(path, everywhere=not inside_functions_allowed)
        assert not any(_is(name, "torch") for name in names), path


def test_the_rules_name_every_stage():
    stages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"commands", "synthetic"}
    assert stages <= set(NEVER)


def test_commands_import_nothing_heavy_before_they_run():
    for path in _files("commands"):
        assert not [name for name in _imports(path, everywhere=False) if name.split(".")[0] in HEAVY], path


def test_help_loads_none_of_the_heavy_packages():
    script = (
        "import sys\nfrom facedis.cli import app\n"
        "try:\n    app()(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', [name for name in {sorted(HEAVY)!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "similarity" in done.stdout
    assert "HEAVY []" in done.stdout
