"""The base of all settings: unknown keys are refused, numbers may come as text, fields are keyed unless `free`."""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic.fields import FieldInfo

from matlabel.artifacts.errors import UserError, cut
from matlabel.artifacts.yaml_files import parse_yaml


class Settings(BaseModel):
    """A block of the config. Fields made with `free` change how fast a result comes, not the result."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, validate_default=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _read_text(cls, data: Any) -> Any:
        """Lists, mappings and choices given on the command line arrive as text: read them as what they are."""
        if not isinstance(data, dict):
            return data
        return {name: _from_text(value, cls.model_fields.get(name)) for name, value in data.items()}

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        # Python takes true for 1, and YAML takes yes and on for true.
        held = value if isinstance(value, list | tuple) else value.values() if isinstance(value, dict) else (value,)
        if any(isinstance(each, bool) for each in held) and _is_number(cls.model_fields[info.field_name].annotation):
            raise ValueError(f"takes numbers, not {cut(value)}")
        return value

    def keyed(self) -> dict[str, Any]:
        """The validated values that make an artifact's key, as JSON types: all but fields made with `free`.

        They validate back to the same settings, but for those fields.
        """
        values = self.model_dump(mode="json", by_alias=True)
        kept = {}
        for name, field in type(self).model_fields.items():
            if (field.json_schema_extra or {}).get("free"):
                continue
            value, out = getattr(self, name), field.alias or name
            kept[out] = value.keyed() if isinstance(value, Settings) else values[out]
        return kept


def free(default: Any, **details: Any) -> Any:
    """A field that does not change the result (device, batch size, which shards): not part of the key."""
    return Field(default, json_schema_extra={"free": True}, **details)


def _is_number(annotation: Any) -> bool:
    """Whether a field takes numbers, or lists or mappings of them, and no truth values."""
    parts = list(_parts(annotation))
    return (int in parts or float in parts) and bool not in parts


def _parts(annotation: Any) -> Iterator[Any]:
    """All types that an annotation is made of; those of a choice's values."""
    if get_origin(annotation) is Literal:
        yield from (type(choice) for choice in get_args(annotation))
    elif arguments := get_args(annotation):
        for argument in arguments:
            yield from _parts(argument)
    else:
        yield annotation


def _from_text(value: Any, field: FieldInfo | None) -> Any:
    if not isinstance(value, str):
        return value
    texts = field is not None and str in _parts(field.annotation)
    if value[:1] in ("[", "{") and value[-1:] in ("]", "}") and not texts:
        try:
            return parse_yaml(value, "")
        except UserError:
            return value
    choices = get_args(field.annotation) if field and get_origin(field.annotation) is Literal else ()
    return next((choice for choice in choices if str(choice) == value), value)
