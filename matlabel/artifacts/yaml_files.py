"""Reading users' YAML files: one message for every kind of mistake, duplicate keys refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from matlabel.artifacts.errors import UserError, cut
from matlabel.artifacts.reading import read_text

# A config of a hundred variants has 100 kB; PyYAML reads as much in a second.
_MOST_BYTES = 512 << 10
# Values, those behind aliases counted wherever they are named: a few lines of aliases of aliases stand for billions.
_MOST_VALUES = 1_000_000
_DEEPEST = 50

# What PyYAML raises for values that look like a number or a date and are none.
_WRONG = (yaml.YAMLError, ValueError, ArithmeticError, LookupError, AttributeError, TypeError, RecursionError)


def read_yaml(path: str | Path, most: int | None = _MOST_BYTES) -> dict[str, Any]:
    """The mapping in a YAML (or JSON) file.

    Args:
        path: of the file.
        most: refuse more bytes than this.

    Raises:
        UserError: no regular file, over `most` bytes, not UTF-8, not YAML, no mapping (Snakemake takes no empty config
            either), a key that is no text or is there twice, nested more than 50 deep, or with aliases that stand for
            over a million values.
    """
    found = parse_yaml(read_text(path, most), str(path))
    if not isinstance(found, dict):
        raise UserError(
            f"{path}: must hold keys with values (`cam: ...`), not {'nothing' if found is None else cut(found)}"
        )
    return found


def parse_yaml(text: str, where: str) -> Any:
    """Parse a YAML text.

    Args:
        where: start of the message.

    Raises:
        UserError: as `read_yaml`, but for what concerns files, and any value will do.
    """
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            if root is None:
                return None
            _Walk(where).measure(root)
            return loader.construct_document(root)
        finally:
            loader.dispose()
    except UserError:
        raise
    except RecursionError as error:
        raise UserError(f"{where}: nested more than {_DEEPEST} deep") from error
    except _WRONG as error:
        # JSON may be indented with tabs, which YAML forbids.
        if text.lstrip()[:1] == "{" and (found := _json(text)) is not None:
            return found
        raise UserError(f"{where}: {_explain(error)}") from error


class _Loader(yaml.SafeLoader):
    """PyYAML's loader in Python: the one in C crashes the process where values are nested too deep."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except yaml.YAMLError:
            raise
        except _WRONG as error:
            kind = node.tag.rpartition(":")[2]
            raise yaml.constructor.ConstructorError(
                None, None, f"{cut(node.value, 60)} is no {kind}", node.start_mark
            ) from error


class _Walk:
    """Measures a document before it is constructed: merge keys alone could fill the memory."""

    def __init__(self, where: str):
        self._where = where
        self._values: dict[int, int] = {}
        self._above: set[int] = set()

    def measure(self, node: yaml.Node, depth: int = 0) -> int:
        """The number of values at and below a node.

        Raises:
            UserError: as `read_yaml` says.
        """
        line = f"{self._where}, line {node.start_mark.line + 1}"
        if depth > _DEEPEST:
            raise UserError(f"{line}: nested more than {_DEEPEST} deep")
        if id(node) in self._above:
            raise UserError(f"{line}: holds itself, by an alias")
        if id(node) not in self._values:
            self._above.add(id(node))
            values = 1 + sum(self.measure(child, depth + 1) for child in self._children(node))
            self._above.discard(id(node))
            if values > _MOST_VALUES:
                raise UserError(f"{line}: its aliases stand for over {_MOST_VALUES} values; write them out")
            self._values[id(node)] = values
        return self._values[id(node)]

    def _children(self, node: yaml.Node) -> Iterator[yaml.Node]:
        if isinstance(node, yaml.ScalarNode) and not _encodable(node.value):
            raise UserError(f"{self._where}, line {node.start_mark.line + 1}: {cut(node.value)} is no text (\\ud...)")
        if isinstance(node, yaml.SequenceNode):
            yield from node.value
        elif isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                line = key.start_mark.line + 1
                if not isinstance(key, yaml.ScalarNode):
                    raise UserError(f"{self._where}, line {line}: a key must be text, not a list or a mapping")
                if not _encodable(key.value):
                    raise UserError(f"{self._where}, line {line}: {cut(key.value)} is no text (\\ud...)")
                if key.value in lines:
                    raise UserError(
                        f"{self._where}, line {line}: {cut(key.value)} is there already, in line {lines[key.value]}; "
                        "the last alone would count: keep one"
                    )
                lines[key.value] = line
                yield value


def _encodable(text: str) -> bool:
    """Whether a text is free of lone surrogates, which no file can hold."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _json(text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key is there twice")
        return dict(pairs)

    try:
        found = json.loads(text, object_pairs_hook=once)
        return found if _encodable(json.dumps(found, ensure_ascii=False)) else None
    except (ValueError, RecursionError):
        return None


def _explain(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        said = getattr(error, "problem", None) or "not YAML"
        return f"not YAML in line {mark.line + 1}, column {mark.column + 1} ({said:.200})"
    return f"not YAML ({' '.join(str(error).split()):.200})"
