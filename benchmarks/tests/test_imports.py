"""The benchmarks and the tests of the library stand apart: neither imports the other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def imported(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each file of a package with the top-level package of each absolute import in it."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            else:
                continue
            yield from ((str(file.relative_to(ROOT)), name.partition(".")[0]) for name in names)


@pytest.mark.parametrize(("package", "other"), [("benchmarks", "tests"), ("tests", "benchmarks")])
def test_neither_package_imports_the_other(package, other):
    offenders = {file for file, name in imported(ROOT / package) if name == other}
    assert not offenders
