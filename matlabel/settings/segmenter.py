"""Settings of the stage segmenter."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from matlabel.settings.base import free
from matlabel.settings.paths import PathText
from matlabel.settings.training import BackboneName, TrainingSettings

Architecture = Literal["deeplabv3plus", "deeplabv3", "unet", "fpn", "upernet", "segformer", "dpt"]
# Those whose encoder is dilated to an output stride; others take its maps as they are.
DILATED = ("deeplabv3plus", "deeplabv3")


class SegmenterSettings(TrainingSettings):
    """A model of segmentation_models.pytorch on the pseudo-labels."""

    train: bool = free(True, description="false: stop at the pseudo-labels.")
    architecture: Architecture = Field(
        "deeplabv3plus", description="Of segmentation_models.pytorch; dpt takes ViTs, the others all else."
    )
    encoder: BackboneName = Field("resnet50", description="The backbone, as cam.backbone.")
    weights: PathText = Field(
        "imagenet", description="Start of the encoder: as cam.weights, or cam (the classifier's)."
    )
    target: Literal["labels", "margin", "soft"] = Field(
        "labels",
        description="Hard labels; weighted by their margin, the lead of the winning alpha; or the alphas themselves.",
    )
    atrous_rates: tuple[
        Annotated[int, Field(ge=1, le=256)], Annotated[int, Field(ge=1, le=256)], Annotated[int, Field(ge=1, le=256)]
    ] = Field((6, 12, 18), description="Dilations of the pyramid of deeplabv3plus and deeplabv3.")

    @property
    def backbone(self) -> str:
        """The encoder, as a training names it."""
        return self.encoder

    @model_validator(mode="after")
    def _stride_of_the_architecture(self) -> Self:
        if self.architecture in DILATED and self.output_stride == 32:
            raise ValueError(f"{self.architecture} has an output_stride of 8 or 16; set that, or auto")
        if self.architecture not in DILATED and self.output_stride != "auto":
            raise ValueError(f"{self.architecture} takes its encoder undilated; set output_stride to auto")
        return self
