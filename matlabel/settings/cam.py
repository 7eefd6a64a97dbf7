"""Settings of the stage cam."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from matlabel.settings.paths import PathText
from matlabel.settings.training import BackboneName, TrainingSettings

# Weights of what refines the classification.
TERMS = ("category", "foreground", "consistency", "exclusivity", "paste")


class CamSettings(TrainingSettings):
    """The D2CAM classifier. A term of weight 0 is gone, with its cost."""

    backbone: BackboneName = Field("resnet50", description="Any of timm's names, without a tag.")
    weights_from: PathText | None = Field(
        None, description="A model.safetensors of an earlier run to use as it is: no training."
    )
    warmup: Literal["auto"] | Annotated[float, Field(ge=0, le=10_000_000)] = Field(
        "auto",
        description="Steps of plain classification before the terms begin; auto: until tags are predicted clearly "
        "better than by their frequencies, on images that were not trained on.",
    )
    fallback: Literal["auto", "off"] = Field(
        "auto",
        description="auto: where tags say that the terms did harm, a plain classifier is trained and taken.",
    )

    @field_validator("fallback", mode="before")
    @classmethod
    def _off_of_yaml(cls, value: Any) -> Any:
        # YAML reads a bare off as false.
        return "off" if value is False else value

    embedding_size: int = Field(128, ge=4, le=4096, description="Channels d of the embedding Z.")
    category: float = Field(0.0, ge=0, le=1_000_000, description="Weight of category decoupling.")
    foreground: float = Field(0.2, ge=0, le=1_000_000, description="Weight of foreground-background decoupling.")
    consistency: float = Field(
        0.0,
        ge=0,
        le=1_000_000,
        description="Weight of the agreement of student and teacher.",
    )
    exclusivity: float = Field(
        0.1, ge=0, le=1_000_000, description="Weight of the removal of non-exclusive activation."
    )
    temperature: float = Field(0.1, ge=1e-3, le=100, description="Of the contrasts in category and foreground.")
    background_centres: int = Field(12, ge=1, le=4096, description="Centres of the background's embeddings.")
    queue: int = Field(128, ge=0, le=65_536, description="Background regions of other images kept as negatives.")
    centre_momentum: float = Field(0.99, ge=0, lt=1, description="Of the moving averages of the centres.")
    teacher_scale: float = Field(
        0.875,
        ge=0.25,
        le=1,
        description="Sides of what the teacher sees, to those of the crop; the time it takes goes with the square.",
    )
    teacher_momentum: float = Field(0.99, ge=0, lt=1, description="Of the moving average of the weights.")
    paste: float = Field(
        0.25,
        ge=0,
        le=1,
        description="Share of images that get another image's object pasted, after the warm-up.",
    )

    @property
    def refines(self) -> bool:
        """Whether there is anything beside the classification: a term, or pasting."""
        return any(getattr(self, name) > 0 for name in TERMS)

    def plain(self) -> "CamSettings":
        """The same without any term or pasting."""
        return self.model_copy(update=dict.fromkeys(TERMS, 0.0))

    @property
    def teaches(self) -> bool:
        """Whether a teacher is trained along: consistency agrees with it, and it cuts out what is pasted."""
        return self.consistency > 0 or self.paste > 0

    @property
    def embeds(self) -> bool:
        """Whether the network has an embedding head: a term trains it."""
        return self.category > 0 or self.foreground > 0

    @property
    def embedding_channels(self) -> int | None:
        """Channels d of the network's embedding; None where no term trains one."""
        return self.embedding_size if self.embeds else None
