"""Settings of stages that look at an image at several sizes."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from matlabel.settings.base import Settings

# Long side of the largest view, in pixels: its maps alone are gigabytes.
_LARGEST = 8192


class ViewsSettings(Settings):
    """At which sizes a network sees an image, and how it is run."""

    size: int = Field(448, ge=64, le=_LARGEST, description="Long side at scale 1, in pixels.")
    scales: list[Annotated[float, Field(ge=0.05, le=8)]] = Field(
        [0.75, 1.0, 1.25], min_length=1, max_length=32, description="Sizes that are averaged."
    )
    flip: bool = Field(True, description="Also average over mirrored images.")
    precision: Literal["auto", "32-true", "bf16-mixed"] = Field(
        "auto",
        description="auto: bf16-mixed where the hardware is faster in bfloat16 (CUDA, some CPUs; a little less exact), "
        "else 32-true.",
    )
    threads: int = Field(
        1, ge=1, le=1024, description="CPU threads of torch; part of the result, as sums depend on it."
    )
    batch_size: int = Field(8, ge=1, le=4096, description="Images of equal size that go through the network together.")

    @model_validator(mode="after")
    def _views_fit_into_memory(self) -> Self:
        if self.size * max(self.scales) > _LARGEST:
            raise ValueError(
                f"size {self.size} times the largest of scales, {max(self.scales):g}, is over {_LARGEST} pixels; "
                "lower one of them"
            )
        return self
