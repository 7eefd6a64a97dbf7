"""Schedule of D2CAM's loss terms: when they begin, ramp up and are reduced, by checks of the classification."""

import torch
from torch import Tensor, nn

from matlabel.cam.check import Look

# Looks at the classifier in a training.
LOOKS = 12
# Steps between two looks, at least.
LEAST = 10
# Terms read the class maps: they begin when tags are predicted this much better than by their frequencies alone ...
BEGIN = 0.7
# ... and grow from nothing to their full weight over this share of the training.
RAMP = 1 / 6
# Classification got worse by this much against its best look: the terms are halved; where it is well again, doubled.
WORSE = 1.25
SLACK = 0.02


def has_time(began: int, steps: int) -> bool:
    """Whether terms that begin after `began` of `steps` steps grow to their full weight."""
    return began + RAMP * steps <= steps


class Schedule(nn.Module):
    """The share of their weight that the terms have. Its state travels with checkpoints.

    Args:
        begin: steps before the terms begin; None: until a look finds that the tags are predicted (see `BEGIN`).

    Attributes:
        began: the step that the terms began at, None before.
        bound: most that the share may be, halved for every look at which classification had got worse.
        first: loss (see `Look`) when they began; None before that. Of terms that began before anybody looked, that of
            the first look.
        unseen: whether they did.
        last: the last look; None before there was one.
        held_back: looks at which the terms were halved.
    """

    def __init__(self, begin: int | None):
        super().__init__()
        self.began, self.bound, self.held_back = begin, 1.0, 0
        self.best = self.first = None
        self.unseen = False
        self.last: Look | None = None

    def share(self, step: int, steps: int) -> float:
        """What the terms' weights are multiplied by in step `step` of `steps`, 0..1."""
        if self.began is None or step < self.began:
            return 0.0
        return self.bound * min(1.0, (step - self.began + 1) / max(1.0, RAMP * steps))

    def is_due(self, done: int, steps: int) -> bool:
        """Whether a check of the classifier is due after `done` of `steps` steps."""
        return done % max(LEAST, steps // LOOKS) == 0 or done in (self.began, steps)

    def take(self, look: Look, done: int, steps: int) -> str | None:
        """Adapt the schedule to a check after `done` of `steps` steps; returns what changed, if anything, in words."""
        self.last = look
        self.best = min(look.loss, self.best if self.best is not None else look.loss)
        # So late that they would not grow up, they do not begin any more.
        if self.began is None and look.loss <= BEGIN and has_time(done, steps):
            self.began = done
        if self.began is None or done < self.began:
            return None
        if self.first is None:
            self.first, self.unseen = look.loss, done > self.began
            return f"the terms begin: tags are predicted at {look.loss:.2f} of the loss of their frequencies"
        if look.loss > WORSE * self.best + SLACK:
            self.bound, self.held_back = self.bound / 2, self.held_back + 1
            worse = f"classification got worse ({look.loss:.2f} after {self.best:.2f})"
            return f"{worse}: the terms are held back to {self.bound:.3g}"
        if self.bound < 1:
            self.bound *= 2
            return f"classification is well again ({look.loss:.2f}): the terms are back at {self.bound:.3g}"
        return None

    def get_extra_state(self) -> Tensor:
        """Everything as one tensor, −1 for what is not there yet."""
        numbers = [self.began, self.bound, self.held_back, self.best, self.first, self.unseen]
        numbers += list(vars(self.last).values()) if self.last else [None] * len(Look.__annotations__)
        return torch.tensor([-1.0 if number is None else float(number) for number in numbers], dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        """Restore what `get_extra_state` gave."""
        numbers = [None if number < 0 else number for number in state.tolist()]
        began, self.bound, held_back, self.best, self.first, unseen, *look = numbers
        self.began, self.held_back, self.unseen = None if began is None else int(began), int(held_back), bool(unseen)
        self.last = None if None in look else Look(*look)
