"""The command line: one command a stage, each a call of the stage's `run`; imports only what the command needs."""

import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from matlabel import inspection
from matlabel.artifacts.errors import UserError
from matlabel.converters.commands import convert
from matlabel.exits import explained
from matlabel.inspection.options import FILE, ManyValues
from matlabel.options import (
    Classifier,
    Code,
    Dataset,
    Device,
    Folder,
    MaybeFile,
    MaybeFolder,
    MaybeShard,
    Out,
    Png,
    Results,
    Settings,
    Shard,
    Weights,
    Workers,
)
from matlabel.runs.local_jobs import end_with_driver, unwind_when_terminated
from matlabel.settings.limits import MAX_PIXELS
from matlabel.utf8 import speak_utf8

app = typer.Typer(
    help="Pixel-accurate segmentation labels from image-level tags. The workflow calls these commands; so can you.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Scale = Literal["auto", "1", "2", "4"]
Method = Literal["closed_form", "knn", "lbdm", "random_walk", "vitmatte"]


def of_stage(declared: Callable[..., None]) -> Callable[..., None]:
    """A stage's command, from the declaration of its options: it calls `run` of the stage with them, by name."""

    @wraps(declared)
    def command(**options: Any) -> None:
        import_module(f"matlabel.{declared.__name__}.stage").run(**options)

    return app.command()(command)


@of_stage
def dataset(settings: Settings, dataset: Dataset, out: Out, code: Code = "") -> None:
    """Open every image of a shard once; name those that later stages skip."""


@of_stage
def cam(
    settings: Settings,
    out: Out,
    dataset: MaybeFile = None,
    device: Device = "auto",
    code: Code = "",
    workers: Workers = -1,
) -> None:
    """Train the D2CAM classifier on image-level tags."""


@app.command()
def activations(
    settings: Settings,
    dataset: Dataset,
    out: Out,
    weights: Classifier = None,
    segmenter: Annotated[Path | None, typer.Option(help="model.safetensors of another segmenter.", **FILE)] = None,
    maps: Annotated[Path | None, typer.Option(help="CSV of one's own maps: id, path, sha256.", **FILE)] = None,
    device: Device = "auto",
    code: Code = "",
) -> None:
    """Compute class probabilities from the classifier, another variant's segmenter or user-supplied maps."""
    if sum(source is not None for source in (weights, segmenter, maps)) != 1:
        raise UserError("activations takes exactly one of --weights, --segmenter and --maps")
    if weights:
        from matlabel.activations import stage

        stage.run(settings, dataset, weights, out, device, code=code)
    elif segmenter:
        from matlabel.activations import segmenter_stage

        segmenter_stage.run(settings, dataset, segmenter, out, device, code=code)
    else:
        from matlabel.activations import files_stage

        files_stage.run(settings, dataset, maps, out, code=code)


@of_stage
def trimaps(
    settings: Settings, dataset: Dataset, activations: Shard, out: Out, corrections: MaybeFile = None, code: Code = ""
) -> None:
    """Make label trimaps: sure class, sure background, unknown."""


@of_stage
def mattes(
    settings: Settings,
    dataset: Dataset,
    activations: Shard,
    out: Out,
    trimaps: MaybeShard = None,
    device: Device = "auto",
    workers: Annotated[int, typer.Option(min=1, help="Processes over the images.")] = 1,
    code: Code = "",
) -> None:
    """Solve the unknown pixels by matting."""


@app.command()
def matte(
    image: Annotated[Path, typer.Argument(help="A photograph: JPEG, PNG, WebP, TIFF or BMP.", **FILE)],
    trimap: Annotated[
        Path,
        typer.Argument(
            help="Dark: background, bright: object, between: unknown; or a palette PNG of label values, 255 unknown.",
            **FILE,
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The alpha to write, a PNG; of several labels, one each.")],
    scale: Annotated[Scale, typer.Option(help="Solve on the image, its half or its quarter.")] = "auto",
    method: Annotated[Method, typer.Option(help="How the unknown region is decided.")] = "closed_form",
    epsilon: Annotated[float, typer.Option(min=1e-12, help="Larger smooths.")] = 1e-7,
    labels: Annotated[bool, typer.Option("--labels", help="A grey trimap holds label values, too.")] = False,
    weights: Annotated[str | None, typer.Option(help="vitmatte: folder of the network.")] = None,
    max_pixels: Annotated[int, typer.Option(min=1, help="Refuse larger pictures.")] = MAX_PIXELS,
    device: Device = "auto",
) -> None:
    """Matte one image: a photograph and its trimap to its alpha."""
    from matlabel.mattes.single import matte_files
    from matlabel.settings.config import validated
    from matlabel.settings.mattes import MattesSettings

    given = {"scale": scale, "method": method, "epsilon": epsilon, "weights": weights}
    settings = validated(MattesSettings, given, "matte")
    for file in matte_files(image, trimap, out, settings, device, labels, max_pixels):
        typer.echo(file)


@of_stage
def labels(
    settings: Settings,
    dataset: Dataset,
    out: Out,
    mattes: MaybeShard = None,
    masks: MaybeFile = None,
    png: Png = None,
    code: Code = "",
) -> None:
    """Make pseudo-labels from the mattes."""


@of_stage
def segmenter(
    settings: Settings,
    dataset: Dataset,
    labels: Folder,
    out: Out,
    mattes: MaybeFolder = None,
    cam: Classifier = None,
    device: Device = "auto",
    code: Code = "",
    workers: Workers = -1,
) -> None:
    """Train a segmentation network on the pseudo-labels."""


@of_stage
def predictions(
    settings: Settings,
    dataset: Dataset,
    weights: Weights,
    out: Out,
    png: Png = None,
    device: Device = "auto",
    code: Code = "",
) -> None:
    """Predict masks with the trained segmenter."""


@of_stage
def evaluation(
    settings: Settings,
    dataset: Dataset,
    labels: Folder,
    out: Out,
    held_out: MaybeFile = None,
    masks: MaybeFile = None,
    activations: MaybeFolder = None,
    trimaps: MaybeFolder = None,
    mattes: MaybeFolder = None,
    predictions: MaybeFolder = None,
    cam: MaybeFolder = None,
    code: Code = "",
) -> None:
    """Score every stage by its tags, and against true masks, as far as there are any."""


@of_stage
def report(
    settings: Settings,
    dataset: Dataset,
    out: Out,
    masks: MaybeFile = None,
    results: Results = Path("results"),
    code: Code = "",
) -> None:
    """Write the one-page report."""


@of_stage
def ablation(
    settings: Settings,
    elsewhere: Annotated[
        list[Path],
        typer.Option(
            "--with",
            help="ablation.csv of the same rows with other seeds, run elsewhere.",
            default_factory=list,
            show_default=False,
            **FILE,
        ),
    ],
    results: Results = Path("results"),
    out: Annotated[Path | None, typer.Option(help="ablation.md to write; .csv and .png come beside it.")] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            help="Markdown file to renew between <!-- ablation --> and <!-- /ablation -->; the plot goes to "
            "images/ablation.png beside it, the numbers of each random seed to ablation.csv.",
            **FILE,
        ),
    ] = None,
    code: Code = "",
) -> None:
    """Compare all variants and random seeds: one table, one plot."""


@app.command()
def fetch(
    weights: Annotated[
        list[str] | None, typer.Argument(help="Backbones (resnet18: its imagenet weights), or names with a tag.")
    ] = None,
) -> None:
    """Download timm's pretrained weights now: jobs download nothing."""
    if not weights:
        print("nothing to fetch: no training of this config starts from imagenet, or from weights of timm's by name")
        return
    from matlabel.runs.fetch import fetch

    print(f"{', '.join(weights)}: in {fetch(weights)}")


for command in inspection.COMMANDS:
    app.command(cls=ManyValues)(command)
app.add_typer(convert, name="convert")


def main() -> None:
    """Run a command; a user's mistake is one message, never a traceback."""
    speak_utf8()
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal cannot show is shown in part, not a traceback.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    unwind_when_terminated()
    end_with_driver()
    try:
        app()
    except Exception as error:
        ending = explained(error)
        if ending is None:
            raise
    else:
        return
    message, code = ending
    print(message, file=sys.stderr)
    raise SystemExit(code)
