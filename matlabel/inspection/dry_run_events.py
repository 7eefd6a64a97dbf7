"""A script: runs `snakemake` with its options and writes each job in its log to a file, one JSON line a job.

Apart from `dry_run`, and without this package's modules, so that Snakemake finds the process as it starts its own.
"""

import json
import logging
import sys
from typing import TextIO

from snakemake.cli import main
from snakemake_interface_logger_plugins.common import LogEvent


class JobEvents(logging.Handler):
    """Log handler that writes each job's event: on a parent of Snakemake's logger, whose own handlers obey `quiet`."""

    def __init__(self, file: TextIO):
        super().__init__()
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        """Write what a job reads and writes, and why it would run."""
        if getattr(record, "event", None) == LogEvent.JOB_INFO:
            told = {"rule": record.rule_name, "inputs": record.input, "outputs": record.output, "reason": record.reason}
            self._file.write(json.dumps({name: value or [] for name, value in told.items()}) + "\n")


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as events:
        logging.getLogger("snakemake").addHandler(JobEvents(events))
        main(sys.argv[2:])
