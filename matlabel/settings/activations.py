"""Settings of the stage activations."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from matlabel.artifacts.errors import UserError, cut, did_you_mean
from matlabel.settings.base import Settings
from matlabel.settings.paths import usable
from matlabel.settings.views import ViewsSettings

# Source -> the settings that it does not read, which so are no part of its keys.
_READ_OUT = ("from", "temperature", "margin", "spread")
_VIEWS = ("size", "scales", "flip", "precision", "threads", "batch_size")
_UNREAD = {"cam": (), "segmenter": (*_READ_OUT, "gamma"), "files": (*_READ_OUT, *_VIEWS)}


class SpreadSettings(Settings):
    """Random walk over the similarity of the backbone's features, between all pixels of an image."""

    layers: list[Literal[1, 2, 3, 4]] = Field(
        [1, 1, 2, 3, 4],
        min_length=1,
        max_length=32,
        description="Layers of the backbone whose cosines are averaged; one named twice counts twice.",
    )
    steps: int = Field(32, ge=0, le=10_000, description="Steps of the walk; 0: no spreading.")
    power: Literal["auto"] | Annotated[float, Field(gt=0, le=1000)] = Field(
        "auto",
        description="Exponent of the similarity before its rows are normalised; larger wants more steps. auto: by the "
        "backbone, such that as many pixels share a step as with a ResNet-50 at 20.",
    )
    again: int = Field(
        1,
        ge=0,
        le=4,
        description="So many times the embedding is read again, by the sure pixels that spreading gave this image, and "
        "spread half as far; not with activations.from: maps.",
    )

    @field_validator("layers")
    @classmethod
    def _ascending(cls, layers: list[int]) -> list[int]:
        return sorted(layers)


class ActivationsSettings(ViewsSettings):
    """How class probabilities are read from the trained classifier, or from what takes its place."""

    source: str = Field(
        "cam",
        description="`cam`: the classifier. `segmenter:<variant>`: a second round, read with that variant's segmenter; "
        "of the settings below it takes size, scales, flip, precision, threads, batch_size. `files:<folder>`: one's "
        "own maps, `<id>.npz` (see own-images.md); takes gamma.",
    )
    read: Literal["maps", "embedding", "both"] = Field(
        "both",
        alias="from",
        description="The class maps, the embedding's cosine to the centres, or their normalised geometric mean.",
    )
    gamma: float = Field(4.0, ge=0.01, le=100, description="Background of the maps is (1 - strongest class)^gamma.")
    temperature: float = Field(0.1, ge=1e-3, le=100, description="Of the softmax over the embedding's similarities.")
    margin: float = Field(0.0, ge=-1, le=1, description="Added to the background's similarity.")
    spread: SpreadSettings = SpreadSettings()

    @field_validator("source")
    @classmethod
    def _is_a_source(cls, source: str) -> str:
        kind, colon, name = source.partition(":")
        # "segmenter" alone is what a key's settings hold: which one, the key of its weights says.
        if source not in ("cam", "segmenter") and not (kind in ("segmenter", "files") and colon and name.strip()):
            hint = did_you_mean(kind, list(_UNREAD)) if kind not in _UNREAD else ""
            raise ValueError(f"takes cam, segmenter:<variant> or files:<folder>, not {cut(source)}{hint}")
        if kind == "files":
            usable(name)
        return source

    @property
    def kind(self) -> Literal["cam", "segmenter", "files"]:
        """The kind of the source: cam, segmenter or files."""
        return self.source.partition(":")[0]

    @property
    def named(self) -> str:
        """The variant or folder that the source names; empty for cam."""
        return self.source.partition(":")[2]

    @property
    def devices(self) -> int:
        """GPUs that a job can use: files need no network."""
        return 0 if self.kind == "files" else 1

    def expect(self, kind: str, where: Path) -> None:
        """Refuse to read from anything but what the settings file `where` says.

        Raises:
            UserError: it says otherwise.
        """
        if self.kind != kind:
            option = {"cam": "--weights", "segmenter": "--segmenter", "files": "--maps"}[self.kind]
            raise UserError(f"{where}: activations.source is {self.source}; give {option}")

    def keyed(self) -> dict[str, Any]:
        """As for all settings, without what the source does not read, and without a variant's name."""
        kept = {name: value for name, value in super().keyed().items() if name not in _UNREAD[self.kind]}
        return {**kept, "source": "segmenter"} if self.kind == "segmenter" else kept
