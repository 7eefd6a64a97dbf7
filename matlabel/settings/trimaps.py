"""Settings of the stage trimaps."""

from pydantic import Field

from matlabel.settings.base import Settings
from matlabel.settings.paths import PathText


class TrimapsSettings(Settings):
    """Where the activations are believed."""

    foreground: float = Field(
        0.7,
        ge=0,
        le=1,
        description="Sure object: activation of the class at least this ...",
    )
    margin: float = Field(0.2, ge=0, le=1, description="... and this far ahead of every other class ...")
    background: float = Field(
        0.85,
        ge=0,
        le=1,
        description="Sure background: its activation at least this ...",
    )
    agreement: float = Field(
        0.0,
        ge=0,
        le=1,
        description="... and at least this share of the views agrees (both).",
    )
    contour: float = Field(
        0.025,
        ge=0,
        le=0.5,
        description="... and farther than this share of the image's diagonal from where another label wins (both).",
    )
    least_object: float = Field(
        0.01,
        ge=0,
        le=0.5,
        description="Least share of the image that is sure of each present class; lowered to get it.",
    )
    least_background: float = Field(0.02, ge=0, le=0.5, description="Likewise for the background.")
    speck: float = Field(0.001, ge=0, le=0.1, description="Sure regions under this share of the image become unknown.")
    band: int = Field(
        3, ge=0, le=1000, description="Half width, in pixels, of the unknown band between different sure regions."
    )
    corrections: PathText | None = Field(
        None, description="Folder of corrections, <id>.png: strokes in the palette's colours over transparency."
    )
