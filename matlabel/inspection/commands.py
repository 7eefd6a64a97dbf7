"""The inspection commands: each parses, calls and prints; imports only what the command needs."""

from pathlib import Path
from typing import Annotated

import typer

from matlabel.inspection.options import FILE, FOLDER, ConfigFiles, ConfigValues, Directory, Snakefile


def validate(
    config: Annotated[Path, typer.Argument(help="The config file.", **FILE)] = Path("config.yaml"),
) -> None:
    """Check a config and the data it names, without running anything."""
    from matlabel.artifacts.naming import some
    from matlabel.artifacts.yaml_files import read_yaml
    from matlabel.dataset.checks import check_all
    from matlabel.runs import Plan

    plan = Plan(read_yaml(config))
    entries = list(plan.data.entries.values())
    rejected, _ = check_all(plan.data.folder, entries, plan.classes, plan.config.dataset)
    plan.check_starts(rejected)
    for note in plan.data.notes:
        typer.echo(f"note: {note}")
    if rejected:
        typer.echo(f"note: {len(rejected)} images are left out: {some(list(rejected.values()))}")
    images = len(entries) - len(rejected)
    typer.echo(f"{config}: valid. {images} images, {len(plan.classes)} classes, {len(plan.data.shards)} shards")
    for (variant, seed), keys in plan.chains.items():
        typer.echo(f"  {variant}, seed {seed}: " + "  ".join(f"{stage} {key}" for stage, key in keys.items()))


def verify(
    results: Annotated[Path, typer.Argument(help="The results folder.", **FOLDER)] = Path("results"),
    repair: Annotated[bool, typer.Option("--repair", help="Delete what is damaged: the next run computes it.")] = False,
) -> None:
    """Check every artifact against the SHA-256 it was written with; name what is damaged, truncated or foreign."""
    from matlabel.artifacts.format import foreign_note
    from matlabel.inspection import verify as checks
    from matlabel.inspection.result_files import foreign_folders, linked_folders, refuse_during_a_run

    if repair:
        refuse_during_a_run(results.absolute().parent)
    found = list(checks.verify(results))
    for finding in found:
        deleted = repair and finding.repairable
        if deleted:
            checks.repair(finding, results)
        typer.echo(f"{finding.path}: {finding.problem}{', deleted' if deleted else ''}")
    left = [finding for finding in found if not (repair and finding.repairable)]
    linked = list(linked_folders(results))
    for path in linked:
        typer.echo(f"{path}: a link, not looked at")
    for note in foreign_note(foreign_folders(results)):
        typer.echo(note)
    if not found:
        but = ", but for what links lead to" if linked else ""
        typer.echo(f"{results}: every artifact is as it was written{but}; label PNGs are not looked at")
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
    configfile: ConfigFiles,
    config: ConfigValues,
    snakefile: Snakefile = None,
    directory: Directory = Path(),
) -> None:
    """Show every variant and stage: done, missing or stale and why. Changes nothing, also while a run goes on."""
    from matlabel.inspection.status import status_of
    from matlabel.inspection.status_text import status_text
    from matlabel.inspection.workflow import find_workflow

    typer.echo(status_text(status_of(find_workflow(snakefile, directory, configfile, config))))


def diff(
    a: Annotated[str, typer.Argument(help="A variant, variant/seed-n, or a key (its first 4 digits or more).")],
    b: Annotated[str, typer.Argument(help="What to hold it against.")],
    configfile: ConfigFiles,
    config: ConfigValues,
    snakefile: Snakefile = None,
    directory: Directory = Path(),
) -> None:
    """Show in which settings two variants or artifacts differ, and from which stage on their artifacts do."""
    from matlabel.inspection.diff import diff_text
    from matlabel.inspection.dry_run import planned
    from matlabel.inspection.settings_of import needs_config, side_of
    from matlabel.inspection.workflow import find_workflow

    results = directory / "results"
    # Two keys speak for themselves, also where their config is long gone; unless they are what variants are called.
    if configfile or config or needs_config(a) or needs_config(b):
        with planned(find_workflow(snakefile, directory, configfile, config)) as plan:
            sides = [side_of(name, plan, Path("results")) for name in (a, b)]
    else:
        sides = [side_of(name, None, results) for name in (a, b)]
    typer.echo(diff_text(*sides))


def clean(
    configfile: ConfigFiles,
    config: ConfigValues,
    also: Annotated[
        list[Path],
        typer.Option(
            "--also", help="Config files, each of a run of its own, that keep theirs.", default_factory=list, **FILE
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")] = False,
    snakefile: Snakefile = None,
    directory: Directory = Path(),
) -> None:
    """List what lies in results/ and the config does not lead to; delete it after asking."""
    from matlabel.artifacts.format import foreign_note
    from matlabel.inspection.clean import leftovers, remove
    from matlabel.inspection.clean_text import clean_text
    from matlabel.inspection.result_files import foreign_folders
    from matlabel.inspection.workflow import find_workflow

    workflows = [find_workflow(snakefile, directory, configfile, config)]
    workflows += [find_workflow(snakefile, directory, [file]) for file in also]
    found = leftovers(workflows)
    typer.echo(clean_text(found, directory))
    for note in foreign_note(foreign_folders(directory / "results")):
        typer.echo(note)
    going = [leftover for leftover in found if leftover.what != "kept"]
    if going and (yes or typer.confirm("Delete all of this?", abort=True)):
        for leftover in going:
            remove(leftover, directory)


def schema() -> None:
    """Print the config's JSON schema."""
    from matlabel.settings.reference import schema_text

    typer.echo(schema_text(), nl=False)


def reference() -> None:
    """Print a page with every key of the config, its default and its meaning."""
    from matlabel.settings.reference import reference_text

    typer.echo(reference_text(), nl=False)


def headline(
    configfile: ConfigFiles,
    config: ConfigValues,
    snakefile: Snakefile = None,
    directory: Directory = Path(),
) -> None:
    """Print the headline scores of a config, warnings about them, and where its report is."""
    from matlabel.inspection.headline import headline_text
    from matlabel.inspection.workflow import find_workflow

    typer.echo(headline_text(find_workflow(snakefile, directory, configfile, config)))


COMMANDS = (validate, status, diff, clean, verify, provenance, schema, reference, headline)
