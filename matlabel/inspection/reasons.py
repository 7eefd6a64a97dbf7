"""Why a job would run again: its provenance and the driver's files compared with the current ones."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.naming import some
from matlabel.artifacts.provenance import read_provenance
from matlabel.dataset.manifest import read_entries, read_files
from matlabel.inspection.dry_run import Job
from matlabel.runs.snakemake_internals import FOLLOWS, LOST, REASONS, UPDATED, files_named
from matlabel.stages import FIRST, STAGES

# A sentence with a gap, and what goes there: many jobs say the same of different images.
Reason = tuple[str, str]

_CODE = Path("results/.code")
_SHARD_CSV = re.compile(
    rf"({'|'.join(csv for stage in STAGES.values() for csv in stage.csvs)})-(\d{{5}})-[0-9a-f]{{12}}\.csv"
)
_ADDRESSED = re.compile(r"^results/.*-[0-9a-f]{12}(\.csv|\.txt)?$")
_FILES = {"masks": "mask of", "corrections": "correction", "maps": "maps of"}


def reasons_of(job: Job) -> list[Reason]:
    """Reasons why a finished job would run again, as far as is known; rerun inputs come last."""
    own = list(_own(job))
    if not own:
        own = [(text, "") for start, text in REASONS.items() if start in job.reason]
    return own + [("follows {}", stage) for stage in _followed(job.reason)]


def sentences(reasons: Iterable[Reason]) -> list[str]:
    """The reasons of several jobs, each sentence once with all that goes into its gap, in order of appearance."""
    gaps: dict[str, dict[str, None]] = {}
    for sentence, name in reasons:
        gaps.setdefault(sentence, {})[name] = None
    follows = gaps.pop("follows {}", None)
    if follows:
        gaps["follows {}"] = {stage: None for stage in STAGES if stage in follows}
    return [sentence.format(some(list(names))) for sentence, names in gaps.items()]


def _own(job: Job) -> Iterator[Reason]:
    for file in files_named(LOST, job.reason):
        yield "lost: {}", "/".join(Path(file).parts[3:])
    recorded = _recorded(job)
    if recorded is None:
        yield "made without a provenance{}", ""
        return
    for planned in [Path(name) for name in job.inputs if Path(name).parent == _CODE]:
        if recorded.get("code") != planned.name.rpartition("-")[2]:
            yield from _code(recorded.get("code"), planned)
    yield from _data(set(recorded["inputs"]), set(job.inputs))
    for file in files_named(UPDATED, job.reason):
        if not _ADDRESSED.search(file):  # those are compared above
            yield "replaced: {}", file


def _recorded(job: Job) -> dict | None:
    for output in job.outputs:
        try:
            found = read_provenance(output)
        except UserError:
            continue
        if found:
            return found
    return None


def _followed(reason: str) -> list[str]:
    files = files_named(FOLLOWS, reason)
    return [stage for stage in STAGES if any(Path(file).parts[1:2] == (stage,) for file in files)]


def _code(digest: str | None, planned: Path) -> Iterator[Reason]:
    stage = planned.name.rpartition("-")[0]
    before, now = _sources(_CODE / f"{stage}-{digest}"), _sources(planned)
    if before is None or now is None:
        yield "code: edited, which file is no longer known{}", ""
        return
    for path in sorted(before.keys() | now.keys()):
        if before.get(path) != now.get(path):
            yield "code: {}", path


def _sources(file: Path) -> dict[str, str] | None:
    try:
        return dict(line.rsplit(" ", 1) for line in file.read_text(encoding="utf-8").splitlines())
    except (OSError, ValueError):
        return None


def _data(recorded: set[str], planned: set[str]) -> Iterator[Reason]:
    before, now = _shard_files(recorded), _shard_files(planned)
    for kind in ("shard", *_FILES):
        numbers = sorted({place for place in before.keys() | now.keys() if place[0] == kind})
        told_then = any(place[0] == kind for place in before)
        if not told_then and kind not in ("corrections", "maps"):
            continue  # this stage's provenance names no such files: nothing to compare with
        for place in numbers:
            then, is_now = before.get(place), now.get(place)
            if then == is_now:
                continue
            try:
                yield from _images(then, is_now) if kind == "shard" else _people(_FILES[kind], then, is_now)
            except (OSError, KeyError, ValueError):
                yield "images: shard {} was another, which of them changed is no longer known", place[1]


def _shard_files(names: Iterable[str]) -> dict[tuple[str, str], Path]:
    """(kind, shard) -> CSV, lists read."""
    found = {}
    for path in map(Path, names):
        if path.suffix == ".txt" and path.is_file() and path.parts[:2] == ("results", FIRST.name):
            found.update(_shard_files(str(path.with_name(name)) for name in path.read_text(encoding="utf-8").split()))
        elif match := _SHARD_CSV.fullmatch(path.name):
            found[match[1], match[2]] = path
    return found


def _images(before: Path | None, now: Path | None) -> Iterator[Reason]:
    then = {entry.id: entry for entry in read_entries(before)} if before else {}
    today = {entry.id: entry for entry in read_entries(now)} if now else {}
    for image in [*then, *(image for image in today if image not in then)]:
        old, new = then.get(image), today.get(image)
        if old is None:
            yield "image {} added", image
        elif new is None:
            yield "image {} removed", image
        else:
            if old.sha256 != new.sha256:
                yield "image {} replaced" if new.sha256 else "image {} gone", image
            if old.tags != new.tags:
                yield "tag of {} edited", image
            if (old.slot, old.split, old.path) != (new.slot, new.split, new.path):
                yield "image {} moved", image


def _people(what: str, before: Path | None, now: Path | None) -> Iterator[Reason]:
    then, today = read_files(before), read_files(now)
    for image in sorted(then.keys() | today.keys()):
        if image not in then:
            yield f"{what} {{}} drawn" if what == "correction" else f"{what} {{}} added", image
        elif image not in today:
            yield f"{what} {{}} removed", image
        elif then[image][1] != today[image][1]:
            yield f"{what} {{}} edited" if what == "correction" else f"{what} {{}} replaced", image
