"""Settings of the stage trimaps."""

from pydantic import Field

from matlabel.settings.base import Settings
from matlabel.settings.paths import PathText


class TrimapsSettings(Settings):
    """Where the activations are believed."""

    contour: float = Field(
        0.025,
        ge=0,
        le=0.5,
        description="Share of the image's diagonal: what is nearer to a contour of the strongest activation is "
        "unknown, what is farther is believed; at least a pixel.",
    )
    foreground: float = Field(
        0.7, ge=0, le=1, description="A class wins by far where its activation is at least this ..."
    )
    margin: float = Field(0.2, ge=0, le=1, description="... and this far ahead of every other; ...")
    background: float = Field(0.85, ge=0, le=1, description="... the background where its activation is at least this.")
    least_object: float = Field(
        0.01,
        ge=0,
        le=0.5,
        description="Least share of the image that a tagged class wins by far; where it does not, so many of its best "
        "pixels are taken for sure.",
    )
    least_background: float = Field(0.02, ge=0, le=0.5, description="Likewise for the background.")
    corrections: PathText | None = Field(
        None, description="Folder of corrections, <id>.png: strokes in the palette's colours over transparency."
    )
