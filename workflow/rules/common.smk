"""What the rules share: the parts of their jobs, asked of the plan."""

from matlabel.runs.rules import JobParts, leaves, log_of, png_of

job = JobParts(plan)
