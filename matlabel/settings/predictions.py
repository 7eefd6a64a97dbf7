"""Settings of the stage predictions."""

from typing import Literal

from pydantic import Field, PositiveFloat

from matlabel.settings.base import Settings, free


class PredictionsSettings(Settings):
    """How the segmenter's masks are read."""

    splits: list[str] | None = free(
        None, description="Splits to predict; not given: evaluation.splits, or all where there are none."
    )
    size: int = Field(448, ge=64, description="Long side at scale 1, in pixels.")
    scales: list[PositiveFloat] = Field([0.75, 1.0, 1.25], min_length=1, description="Sizes that are averaged.")
    flip: bool = Field(True, description="Also average over mirrored images.")
    precision: Literal["auto", "32-true", "bf16-mixed"] = Field(
        "auto",
        json_schema_extra={"introduced": "32-true"},
        description="auto: bf16-mixed where the hardware is faster in bfloat16 (CUDA, some CPUs; a little less exact), "
        "else 32-true.",
    )
    threads: int = Field(1, ge=1, description="CPU threads of torch; part of the result, as sums depend on it.")
    batch_size: int = Field(8, ge=1, description="Images of equal size that go through the network together.")
