"""The rerun matrix without gaps: every setting that the models know, every file of the package."""

import pytest
from test_matrix import JOBS, changed, following
from test_plan import other_values, settings_of
from tiny import ROOT, TINY, clone

from matlabel.artifacts.errors import UserError
from matlabel.plan import Plan
from matlabel.plan.chain import STAGES
from matlabel.plan.sources import sources
from matlabel.settings.config import StageSettings

pytestmark = [pytest.mark.workflow, pytest.mark.long]

# Another data set is no other setting of this one.
SETTINGS = [path for path, _ in settings_of(StageSettings) if path[0] != "dataset"]
FIELDS = dict(settings_of(StageSettings))
FILES = sorted(str(path.relative_to(ROOT / "matlabel")) for path in (ROOT / "matlabel").rglob("*.py"))


@pytest.fixture(scope="module")
def run(finished, tmp_path_factory):
    """The finished run in another place, of another checkout."""
    return finished.moved(tmp_path_factory.mktemp("moved"), clone(tmp_path_factory.mktemp("checkout")))


def with_setting(path, value):
    block = value
    for name in reversed(path[1:]):
        block = {name: block}
    config = changed(**{path[0]: {}})
    inner = config[path[0]]
    for name in path[1:-1]:
        inner = inner.setdefault(name, {})
    inner[path[-1]] = value
    return config


def keys(config):
    plan = Plan(config)
    return {**plan.chains["default", 0], "report": plan.report.key}


@pytest.mark.parametrize("path", SETTINGS, ids=".".join)
def test_a_setting_runs_the_stages_whose_keys_it_moves(run, monkeypatch, path):
    monkeypatch.chdir(run.folder)
    (run.folder / "other").mkdir(exist_ok=True)
    before = keys(TINY)
    for value in other_values(FIELDS[path]):
        try:
            config = with_setting(path, value)
            after = keys(config)
            break
        except (UserError, TypeError):
            continue
    else:
        pytest.skip("no other value goes with the rest of the tiny config")
    run.config(config)
    planned = run.planned()
    free = (FIELDS[path].json_schema_extra or {}).get("free")
    if not free:
        moved = {stage for stage in after if after[stage] != before.get(stage)}
        # A target less is no reason to run: without a segmenter nothing is predicted.
        assert set(planned) == moved
        assert path[0] in moved or path[0] not in after
    else:
        assert set(planned) <= {"evaluation", "report"} or path[-1] in ("splits", "label_splits")
    run.config(TINY)
    assert run.planned() == {}


@pytest.mark.parametrize("name", FILES)
def test_an_edited_file_runs_the_stages_in_whose_import_closure_it_is(run, name):
    path = run.checkout / "matlabel" / name
    first = next((stage for stage in STAGES if ROOT / "matlabel" / name in sources(stage)), None)
    concerned = {stage for stage in STAGES if ROOT / "matlabel" / name in sources(stage)}
    text = path.read_text()
    path.write_text(text + "# edited\n")
    try:
        planned = run.planned()
    finally:
        path.write_text(text)
    assert set(planned) >= concerned
    assert planned.items() <= following(first).items()
    assert set(planned) - concerned <= {
        stage for stage in JOBS if STAGES.index(stage) > STAGES.index(first or "dataset")
    }
