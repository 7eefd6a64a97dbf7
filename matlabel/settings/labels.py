"""Settings of the stage labels."""

from typing import Literal

from pydantic import Field

from matlabel.settings.base import Settings, free


class LabelsSettings(Settings):
    """How mattes become pseudo-labels."""

    source: Literal["mattes", "masks"] = Field(
        "mattes", description="masks: the true masks, the full-supervision reference; the report says so."
    )
    margin: float = Field(0.0, ge=0, le=1, description="Void where the winner leads the runner-up by less.")
    least_region: float = Field(0.0, ge=0, le=0.1, description="Regions under this share of the image become void.")
    splits: list[str] | None = free(None, min_length=1, description="Splits that are labelled; not given: all.")
