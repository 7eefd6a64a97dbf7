from hypothesis import given
from hypothesis import strategies as st

from matlabel.inspection.status import StageState, Status
from matlabel.inspection.status_text import state_text, status_text
from matlabel.stages import STAGES

reasons = st.lists(st.text("ab:/ ", min_size=1, max_size=70), max_size=4).map(tuple)


@st.composite
def states(draw):
    of = draw(st.integers(1, 9999))
    return StageState(
        draw(st.sampled_from(list(STAGES))),
        draw(st.text("0123456789abcdef", min_size=8, max_size=8)),
        draw(st.sampled_from(["done", "missing", "partial", "stale", "damaged", "running"])),
        draw(st.integers(0, of)),
        of,
        draw(st.integers(0, of)),
        draw(st.integers(0, 10**15)),
        draw(st.sampled_from(["", "2026-11-25T09:45:39+0000"])),
        draw(st.floats(0, 10**6)),
        draw(reasons),
    )


@given(states(), states(), st.booleans())
def test_the_table_fits_a_hundred_columns_and_loses_no_reason(first, report, held):
    chains, stages = {("default", 0): {first.stage: first.key}}, {first.key: first, report.key: report}
    status = Status(chains, report.key, stages, {}, held, held, ())
    text = status_text(status)
    assert max(map(len, text.splitlines())) <= 100
    for reason in status.stages[first.key].reasons:
        assert reason.strip() in text


def test_a_shared_artifact_is_told_once():
    stage = StageState("cam", "12345678", "done", 1, 1, 0, 5, "2026-11-25T09:45:39+0000", 3.0, ("why",))
    chains = {("a", 0): {"cam": "12345678"}, ("b", 0): {"cam": "12345678"}}
    text = status_text(Status(chains, "12345678", {"12345678": stage}, {}, False, False, ()))
    assert text.count("as a, seed 0") == 1


def test_states_say_how_many_shards():
    def told(state, there, of, stale):
        return state_text(StageState("mattes", "12345678", state, there, of, stale, 0, "", 0, ()))

    assert told("partial", 3, 12, 0) == "partial 3 of 12 shards"
    assert told("stale", 12, 12, 2) == "stale 2 of 12 shards"
    assert told("stale", 1, 1, 1) == "stale"
    assert told("running", 3, 12, 0) == "running? 3 of 12"
