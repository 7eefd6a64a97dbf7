"""The command line: one command a stage, each a call of the stage's `run`; imports only what the command needs."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from matlabel import inspection
from matlabel.artifacts.errors import UserError
from matlabel.converters.commands import convert
from matlabel.exits import explained
from matlabel.inspection import FILE, FOLDER
from matlabel.inspection.options import ManyValues
from matlabel.runs.local_jobs import end_with_driver, unwind_when_terminated
from matlabel.utf8 import speak_utf8

app = typer.Typer(
    help="Pixel-accurate segmentation labels from image-level tags. The workflow calls these commands; so can you.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Settings = Annotated[Path, typer.Option(help="settings.yaml of the artifact folder.", **FILE)]
Dataset = Annotated[Path, typer.Option(help="CSV of a shard, or a list (.txt) of them.", **FILE)]
Out = Annotated[Path, typer.Option(help="The file to write.")]
Weights = Annotated[Path, typer.Option(help="model.safetensors of the training.", **FILE)]
Shard = Annotated[Path, typer.Option(help="Shard (.h5) of that stage.", **FILE)]
MaybeShard = Annotated[Path | None, typer.Option(help="Shard (.h5) of that stage.", **FILE)]
MaybeFile = Annotated[Path | None, typer.Option(help="CSV, or list (.txt) of CSVs.", **FILE)]
MaybeFolder = Annotated[Path | None, typer.Option(help="Folder of that stage's shards.", **FOLDER)]
Png = Annotated[Path | None, typer.Option(help="Folder for palette PNGs of the same.")]
Scale = Literal["auto", "1", "2", "4"]
Method = Literal["closed_form", "knn", "lbdm", "random_walk", "vitmatte"]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Workers = Annotated[int, typer.Option(help="Loading processes; -1: none on the CPU, 8 on a GPU.")]
Code = Annotated[
    str, typer.Option(help="Digest of the sources, for the provenance; a checkpoint of other code is not resumed.")
]


@app.command()
def dataset(settings: Settings, dataset: Dataset, out: Out, code: Code = "") -> None:
    """Open every image of a shard once; name those that later stages skip."""
    from matlabel.dataset import stage

    stage.run(settings, dataset, out, code=code)


@app.command()
def cam(
    settings: Settings,
    out: Out,
    dataset: MaybeFile = None,
    device: Device = "auto",
    code: Code = "",
    workers: Workers = -1,
) -> None:
    """Train the D2CAM classifier on image-level tags."""
    from matlabel.cam import stage

    stage.run(settings, dataset, out, device, code, None if workers < 0 else workers)


@app.command()
def activations(
    settings: Settings,
    dataset: Dataset,
    out: Out,
    weights: Annotated[Path | None, typer.Option(help="model.safetensors of the stage cam.", **FILE)] = None,
    segmenter: Annotated[
        Path | None, typer.Option(help="model.safetensors of another variant's segmenter.", **FILE)
    ] = None,
    maps: Annotated[Path | None, typer.Option(help="CSV of one's own maps: id, path, sha256.", **FILE)] = None,
    device: Device = "auto",
    code: Code = "",
) -> None:
    """Read class probabilities from the classifier, another variant's segmenter or one's own maps: one of the three."""
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


@app.command()
def trimaps(
    settings: Settings, dataset: Dataset, activations: Shard, out: Out, corrections: MaybeFile = None, code: Code = ""
) -> None:
    """Make label trimaps: sure class, sure background, unknown."""
    from matlabel.trimaps import stage

    stage.run(settings, dataset, activations, out, corrections, code=code)


@app.command()
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
    """Decide the unknown region by matting."""
    from matlabel.mattes import stage

    stage.run(settings, dataset, activations, out, trimaps, device, workers, code=code)


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
    max_pixels: Annotated[int, typer.Option(min=1, help="Refuse larger pictures.")] = 100_000_000,
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


@app.command()
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
    from matlabel.labels import stage

    stage.run(settings, dataset, out, mattes, masks, png, code=code)


@app.command()
def segmenter(
    settings: Settings,
    dataset: Dataset,
    labels: Annotated[Path, typer.Option(help="Folder of the stage labels.", **FOLDER)],
    out: Out,
    mattes: MaybeFolder = None,
    cam: Annotated[Path | None, typer.Option(help="model.safetensors of the stage cam, to start from.", **FILE)] = None,
    device: Device = "auto",
    code: Code = "",
    workers: Workers = -1,
) -> None:
    """Train a segmentation network on the pseudo-labels."""
    from matlabel.segmenter import stage

    stage.run(settings, dataset, labels, out, mattes, cam, device, code, None if workers < 0 else workers)


@app.command()
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
    from matlabel.predictions import stage

    stage.run(settings, dataset, weights, out, png, device, code=code)


@app.command()
def evaluation(
    settings: Settings,
    dataset: Dataset,
    labels: Annotated[Path, typer.Option(help="Folder of the stage labels.", **FOLDER)],
    out: Out,
    held_out: MaybeFile = None,
    masks: MaybeFile = None,
    activations: MaybeFolder = None,
    trimaps: MaybeFolder = None,
    mattes: MaybeFolder = None,
    predictions: MaybeFolder = None,
    cam: Annotated[Path | None, typer.Option(help="Folder of the stage cam: what the tags say.", **FOLDER)] = None,
    code: Code = "",
) -> None:
    """Score every stage by its tags, and against true masks, as far as there are any."""
    from matlabel.evaluation import stage

    shards = (activations, trimaps, mattes, labels, predictions)
    stage.run(settings, dataset, held_out, masks, *shards, out, code=code, cam=cam)


@app.command()
def report(
    settings: Settings,
    dataset: Dataset,
    out: Out,
    masks: MaybeFile = None,
    results: Annotated[Path, typer.Option(help="The results folder.", **FOLDER)] = Path("results"),
    code: Code = "",
) -> None:
    """Write the one-page report."""
    from matlabel.report import stage

    stage.run(settings, dataset, masks, results, out, code=code)


@app.command()
def ablation(
    settings: Settings,
    results: Annotated[Path, typer.Option(help="The results folder.", **FOLDER)] = Path("results"),
    out: Annotated[Path | None, typer.Option(help="ablation.md to write; .csv and .png come beside it.")] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            help="Markdown file to renew between <!-- ablation --> and <!-- /ablation -->; the plot goes to "
            "images/ablation.png beside it, the numbers of each seed to ablation.csv.",
            **FILE,
        ),
    ] = None,
    elsewhere: Annotated[
        list[Path] | None,
        typer.Option("--with", help="ablation.csv of the same rows with other seeds, run elsewhere.", **FILE),
    ] = None,
    code: Code = "",
) -> None:
    """Set all variants and seeds side by side: one table, one plot."""
    from matlabel.ablation import stage

    stage.run(settings, results, out, into, code, elsewhere or [])


@app.command()
def fetch(
    weights: Annotated[
        list[str] | None, typer.Argument(help="Backbones (resnet18: its imagenet weights), or names with a tag.")
    ] = None,
) -> None:
    """Download weights of timm's now: jobs download nothing."""
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
