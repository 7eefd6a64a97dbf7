"""The source files that a stage imports; their digest decides whether it reruns."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from matlabel.artifacts.digest import file_sha256, text_sha256

PACKAGE = Path(__file__).resolve().parent.parent


def sources(stage: str, entry: str = "stage") -> list[Path]:
    """The import closure of matlabel/<stage>/<entry>.py inside the package, sorted, without cli.py.

    From the one file that the command calls: a new reader beside it, or the driver's scan, is no reason to run again.
    """
    todo = [PACKAGE / stage / f"{entry}.py"]
    found: set[Path] = set()
    while todo:
        path = todo.pop()
        if path in found:
            continue
        found.add(path)
        todo.extend(_imports(path))
    return sorted(found)


@cache
def sources_text(stage: str, entry: str = "stage") -> str:
    """A line of path and SHA-256 for each source of a stage: the content of its code file."""
    return "".join(f"{path.relative_to(PACKAGE.parent)} {file_sha256(path)}\n" for path in sources(stage, entry))


def sources_digest(stage: str, entry: str = "stage") -> str:
    """The first 12 hex digits of the SHA-256 of a stage's sources."""
    return text_sha256(sources_text(stage, entry))[:12]


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    """Files of the package that a file imports, parent packages included."""
    found: set[Path] = set()
    for node in _run(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            # `from package import name` may name a module or something inside one: both are looked for.
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            found.update(_files(name))
    return tuple(sorted(found))


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """The AST nodes of a file without `if TYPE_CHECKING` blocks."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        yield from _run(node)


def _files(module: str) -> list[Path]:
    parts = module.split(".")
    if parts[0] != PACKAGE.name:
        return []
    files, folder = [PACKAGE / "__init__.py"], PACKAGE
    for part in parts[1:]:
        if (folder / f"{part}.py").is_file():
            return [*files, folder / f"{part}.py"]
        folder = folder / part
        if (folder / "__init__.py").is_file():
            files.append(folder / "__init__.py")
    return files
