"""Lazy loading of a package's public names (PEP 562)."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_attributes(package: str, names: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The functions `__getattr__` and `__dir__` of a package whose names are loaded on first use.

    Args:
        package: Name of the package.
        names: The module of each public name; a module that ends in the name after a colon, as in
            "facedis.model:losses", is itself the attribute.
    """

    def load(name: str) -> object:
        if name not in names:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        module, _, submodule = names[name].partition(":")
        return import_module(f"{module}.{submodule}") if submodule else getattr(import_module(module), name)

    def list_names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *names})

    return load, list_names
