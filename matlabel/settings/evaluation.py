"""Settings of the stage evaluation."""

from typing import Literal

from pydantic import Field

from matlabel.settings.base import Settings


class EvaluationSettings(Settings):
    """What is scored, against which masks, and how void counts."""

    splits: list[str] = Field([], description="Held-out splits: scored, never trained or tuned on.")
    label_splits: list[str] | None = Field(
        None,
        min_length=1,
        description="Training splits whose masks score seeds, trimaps and labels; not given: all that are trained on.",
    )
    void: Literal["wrong", "skip"] = Field(
        "wrong", description="A predicted 255: counted as wrong, or dropped with its share printed."
    )
    boundary: float = Field(0.02, gt=0, le=0.2, description="Width of boundary IoU, as a share of the diagonal.")
    band: int = Field(5, ge=1, le=1000, description="Half width, in pixels, of the band round true contours.")
    bootstrap: int = Field(1000, ge=0, le=100_000, description="Resamplings for the 95 % interval; 0: none.")
