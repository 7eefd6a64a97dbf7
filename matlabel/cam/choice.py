"""Choosing by tags between the classifier trained with D2CAM's terms and a plain one."""

from matlabel.cam.schedule import Schedule, has_time

# At the end tags must be predicted with less than this share of the loss that there was when the terms began: a plain
# classifier goes on learning.
BETTER = 0.97
# And the terms must not have been held back so far that little is left of them.
LEAST = 0.25


def against_terms(schedule: Schedule, steps: int) -> str | None:
    """Why a plain classifier is better, in words; None where the terms did no harm.

    The plain classifier's own check is that of the moment when the terms began: until then it was one.

    Args:
        schedule: after the training; if the terms never began, or too late, nothing speaks against them.
        steps: of the training.
    """
    if schedule.last is None or schedule.first is None or not has_time(schedule.began, steps):
        return None
    if schedule.last.loss > BETTER * schedule.first:
        return (
            f"tags are predicted no better with the terms: their loss is {schedule.last.loss:.2f} of that of their "
            f"frequencies at the end, and was {schedule.first:.2f} when the terms began"
        )
    if schedule.bound < LEAST:
        return f"the terms had to be held back to {schedule.bound:.3g} of their weight for tags to be predicted as well"
    return None
