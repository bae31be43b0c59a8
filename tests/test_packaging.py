"""What is imported is declared, what is declared is imported, and the pins lie in the bounds."""

import ast
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.processes import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCAL = {"finetune", "benchmarks", "tests"}
# The extras that each folder may use beside the dependencies.
FOLDERS = {
    "finetune": ("tensorboard", "mlflow", "notebook"),
    "benchmarks": ("bench", "test"),
    "tests": ("test", "tensorboard", "mlflow", "notebook", "fuzz"),
}
# Declared for a package that imports it late: pandas to write Markdown.
IMPORTED_BY_OTHERS = {"tabulate"}


def requirements(*extras: str) -> list[Requirement]:
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    return [one for one in map(Requirement, lines) if one.name not in LOCAL]


def declared(*extras: str) -> set[str]:
    return {canonicalize_name(one.name) for one in requirements(*extras)}


def modules_of(source: str) -> set[str]:
    """Find the top-level packages that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return {name.partition(".")[0] for name in found}


@cache
def imported(folder: str) -> dict[str, tuple[str, str]]:
    """Map each distribution that a folder imports to a file that does so, and the module."""
    by_module, found = packages_distributions(), {}
    for file in sorted((ROOT / folder).rglob("*.py")):
        for module in modules_of(file.read_text()) - LOCAL - set(sys.stdlib_module_names):
            # What an extra brings and is not installed here has, as a rule, the module's name.
            for name in by_module.get(module, [module]):
                found.setdefault(canonicalize_name(name), (str(file.relative_to(ROOT)), module))
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_imported_is_declared(folder):
    extras = FOLDERS[folder]
    for name, (file, module) in imported(folder).items():
        assert name in declared(*extras), (
            f"{file} imports {module}, but pyproject.toml does not declare {name}; add it to "
            f"{' or '.join(['[project] dependencies', *(f'the extra {e}' for e in extras)])}"
        )


def test_what_is_declared_is_imported():
    used = {name for folder in ("finetune", "benchmarks") for name in imported(folder)}
    for name in declared("bench") - IMPORTED_BY_OTHERS:
        assert name in used, (
            f"pyproject.toml declares {name}, but nothing in finetune/ or benchmarks/ imports it; "
            "remove it"
        )


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def test_every_pin_lies_within_the_bounds():
    for one in requirements(*EXTRAS):
        version = pins().get(canonicalize_name(one.name))
        assert version, f"constraints.txt has no pin for {one.name}; add one that fits {one}"
        assert one.specifier.contains(version), (
            f"constraints.txt pins {one.name}=={version}, which pyproject.toml does not allow "
            f"({one}); change one of them"
        )


def test_an_import_that_is_not_declared_would_be_found():
    source = "def late():\n    import yaml.nodes\n    from google.protobuf import text_format\n"
    assert modules_of(source) == {"yaml", "google"}
