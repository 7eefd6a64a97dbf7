"""Links to the current keys: results/runs/<variant>/seed-<n>/<stage>."""

import os
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.format import KEY
from matlabel.runs.plan import Plan
from matlabel.stages import REPORT, STAGES

_RUNS = Path("results/runs")


def set_links(plan: Plan) -> None:
    """Point each link at its key, atomically; remove links of stages that their variant no longer has.

    Only links that lead to results/<stage>/<key> are ours to replace; nothing else is written over or followed.

    Raises:
        UserError: where a link or a folder of links belongs lies something else. Nothing has been changed then.
    """
    wanted = {}
    for (variant, seed), keys in plan.chains.items():
        folder = _RUNS / variant / f"seed-{seed}"
        for above in (_RUNS, folder.parent, folder):
            if above.is_symlink() or (above.exists() and not above.is_dir()):
                raise _foreign(above, "folder")
        targets = {**keys, REPORT.name: plan.report.key}
        for stage in STAGES:
            link = folder / stage
            if os.path.lexists(link) and not _ours(link):
                raise _foreign(link, "link")
            wanted[link] = _target(link, targets[stage]) if stage in targets else None
    for link, target in wanted.items():
        if target is None:
            link.unlink(missing_ok=True)
        elif not (link.is_symlink() and os.readlink(link) == target):
            link.parent.mkdir(parents=True, exist_ok=True)
            fresh = link.with_name(f".{link.name}.{os.getpid()}")
            if fresh.is_symlink():
                # Of a killed driver that had the same number.
                fresh.unlink()
            fresh.symlink_to(target)
            fresh.replace(link)


def _target(link: Path, key: str) -> str:
    return os.path.relpath(f"results/{link.name}/{key}", link.parent)


def _ours(link: Path) -> bool:
    """Whether a link is one of matlabel's own: its target is a key of its stage, which may be gone."""
    if not link.is_symlink():
        return False
    before, key = os.path.split(os.readlink(link))
    return bool(KEY.fullmatch(key)) and f"{before}/{key}" == _target(link, key)


def _foreign(path: Path, what: str) -> UserError:
    return UserError(f"{path}: not a {what} that this workflow made; move it away, links to the results belong there")
