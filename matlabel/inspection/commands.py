"""The commands for people: each parses, calls and prints; imports only what the command needs."""

from pathlib import Path
from typing import Annotated

import typer

from matlabel.artifacts.errors import UserError
from matlabel.inspection.options import FILE, FOLDER, ConfigFiles, ConfigValues, Directory, Snakefile


def validate(
    config: Annotated[Path, typer.Argument(help="The config file.", **FILE)] = Path("config.yaml"),
) -> None:
    """Check a config and the data it names, without running anything."""
    import yaml

    from matlabel.plan import Plan

    try:
        raw = yaml.safe_load(config.read_text()) or {}
    except yaml.YAMLError as error:
        raise UserError(f"{config}: not YAML ({error})") from error
    plan = Plan(raw)
    images = sum(shard.images for shard in plan.data.shards.values())
    typer.echo(f"{config}: valid. {images} images, {len(plan.classes)} classes, {len(plan.data.shards)} shards")
    for (variant, seed), keys in plan.chains.items():
        typer.echo(f"  {variant}, seed {seed}: " + "  ".join(f"{stage} {key}" for stage, key in keys.items()))


def verify(
    results: Annotated[Path, typer.Argument(help="The results folder.", **FOLDER)] = Path("results"),
    repair: Annotated[bool, typer.Option("--repair", help="Delete what is damaged: the next run computes it.")] = False,
) -> None:
    """Hold every artifact against the SHA-256 it was written with; name what is damaged, truncated or foreign."""
    from matlabel.artifacts import verify as checks

    found = list(checks.verify(results))
    for finding in found:
        deleted = repair and finding.repairable
        if deleted:
            checks.repair(finding)
        typer.echo(f"{finding.path}: {finding.problem}{', deleted' if deleted else ''}")
    left = [finding for finding in found if not (repair and finding.repairable)]
    if not found:
        typer.echo(f"{results}: every artifact is as it was written")
    if left:
        raise SystemExit(1)


def provenance(
    file: Annotated[Path, typer.Argument(help="An artifact below results/<stage>/<key>/.", **FILE)],
    root: Annotated[Path, typer.Option(help="The folder that Snakemake ran in.", **FOLDER)] = Path(),
) -> None:
    """Print where an artifact comes from, back to the photographs."""
    from matlabel.artifacts.lineage import lineage_text

    typer.echo(lineage_text(file, root))


def status(
    configfile: ConfigFiles = [],  # noqa: B006
    config: ConfigValues = [],  # noqa: B006
    snakefile: Snakefile = None,
    directory: Directory = Path(),
) -> None:
    """Show every variant and stage: done, missing or stale and why. Changes nothing, also while a run goes on."""
    from matlabel.inspection.status import status_of
    from matlabel.inspection.status_text import status_text
    from matlabel.inspection.workflow import find_workflow

    typer.echo(status_text(status_of(find_workflow(snakefile, directory, configfile, config))))


def schema() -> None:
    """Print the config's JSON schema."""
    from matlabel.settings.reference import schema_text

    typer.echo(schema_text(), nl=False)


def reference() -> None:
    """Print a page with every key of the config, its default and its meaning."""
    from matlabel.settings.reference import reference_text

    typer.echo(reference_text(), nl=False)


def headline(report: Annotated[Path, typer.Argument(help="Folder of results/runs.", **FOLDER)]) -> None:
    """Print the headline scores of every run, and where the report is."""
    from matlabel.report.headline import headline_text

    typer.echo(headline_text(report))


COMMANDS = (validate, status, verify, provenance, schema, reference, headline)
