"""The config described: as a JSON schema for editors, and as a page for people."""

import types
import typing
from collections.abc import Iterable
from typing import Any

import yaml
from pydantic.fields import FieldInfo

from matlabel.settings.base import Settings
from matlabel.settings.config import Config

_LIMITS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def schema_text() -> str:
    """JSON schema of the config, as YAML."""
    head = "# Generated from matlabel/settings/ by `make docs`: editors use it to complete and check a config.\n"
    return head + yaml.safe_dump(Config.model_json_schema(by_alias=True), sort_keys=False, allow_unicode=True)


def reference_text() -> str:
    """A Markdown page with a table for each block: key, default, values, meaning."""
    lines = [
        "# Every key of the config",
        "",
        "Generated from `matlabel/settings/` by `make docs`. Keys marked ° do not change the result, only where, how "
        "fast or for which images it is computed; all others are part of an artifact's key.",
        "",
    ]
    lines += _table("", Config)
    return "\n".join(lines).rstrip() + "\n"


def _table(path: str, model: type[Settings]) -> list[str]:
    lines, inner = [], []
    for name, field in model.model_fields.items():
        key = f"{path}{field.alias or name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, Settings):
            block = field.annotation
            inner += [f"## {key}", "", (block.__doc__ or "").strip().splitlines()[0], "", *_table(f"{key}.", block)]
            continue
        mark = "°" if (field.json_schema_extra or {}).get("free") else ""
        default = field.get_default(call_default_factory=True)
        lines.append(f"| `{key}`{mark} | `{_plain(default)}` | {_values(field)} | {field.description or ''} |")
    head = ["| key | default | values | meaning |", "|---|---|---|---|"]
    return ([*head, *lines, ""] if lines else []) + inner


def _values(field: FieldInfo) -> str:
    return f"{_type(field.annotation)}{_limits(field.metadata)}"


def _type(annotation: Any) -> str:
    """A type in words: what a list or a mapping holds within its limits, too."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin is typing.Annotated:
        inner, *details = arguments
        details = [part for detail in details for part in getattr(detail, "metadata", [])]
        return f"{_type(inner)}{_limits(details)}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(part) for part in arguments)
    if origin in (list, tuple, dict):
        return f"{origin.__name__}[{', '.join(_type(part) for part in arguments)}]"
    return "null" if annotation is type(None) else getattr(annotation, "__name__", str(annotation))


def _limits(details: Iterable[Any]) -> str:
    found = ((sign, getattr(part, limit, None)) for part in details for limit, sign in _LIMITS.items())
    return "".join(f" {sign} {value}" for sign, value in found if value is not None)


def _plain(value: object) -> str:
    text = yaml.safe_dump(list(value) if isinstance(value, tuple) else value, default_flow_style=True, width=1000)
    return text.removesuffix("...\n").strip()
