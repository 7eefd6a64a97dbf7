"""Settings of the stage activations."""

from typing import Literal

from pydantic import Field, PositiveFloat, field_validator

from matlabel.settings.base import Settings


class SpreadSettings(Settings):
    """Random walk over the affinity of pixels, learned or of the trunk's features."""

    affinity: Literal["auto", "features", "learned"] = Field(
        "auto",
        description="The cosine of the trunk's features, between all pixels, or what cam.affinity has learned, between "
        "near ones; auto: learned where the classifier has it.",
    )
    layers: list[Literal[1, 2, 3, 4]] = Field(
        [2, 3, 4], min_length=1, description="Layers of the trunk whose cosines are averaged, for features."
    )

    steps: int = Field(4, ge=0, description="Steps of the walk; 0: no spreading.")
    power: float = Field(8.0, gt=0, description="Exponent of the affinity before its rows are normalised.")

    @field_validator("layers")
    @classmethod
    def _ascending(cls, layers: list[int]) -> list[int]:
        if len(set(layers)) < len(layers):
            raise ValueError("a layer is named twice")
        return sorted(layers)


class ActivationsSettings(Settings):
    """How class probabilities are read from the trained classifier."""

    read: Literal["maps", "embedding", "both"] = Field(
        "both",
        alias="from",
        description="The class maps, the embedding's cosine to the centres, or their normalised geometric mean.",
    )
    size: int = Field(448, ge=64, description="Long side at scale 1, in pixels.")
    scales: list[PositiveFloat] = Field([0.75, 1.0, 1.25], min_length=1, description="Sizes that are averaged.")
    flip: bool = Field(True, description="Also average over mirrored images.")
    gamma: float = Field(4.0, gt=0, description="Background of the maps is (1 - strongest class)^gamma.")
    temperature: float = Field(0.1, gt=0, description="Of the softmax over the embedding's similarities.")
    margin: float = Field(0.0, ge=-1, le=1, description="Added to the background's similarity.")
    spread: SpreadSettings = SpreadSettings()
    precision: Literal["32-true", "bf16-mixed"] = Field(
        "32-true", description="bf16-mixed: about twice as fast where the hardware has bfloat16, a little less exact."
    )
    threads: int = Field(1, ge=1, description="CPU threads of torch; part of the result, as sums depend on it.")
    batch_size: int = Field(8, ge=1, description="Images of equal size that go through the network together.")
