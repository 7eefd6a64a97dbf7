"""Hooks the driver in: it makes the plan, sets the links, makes first what is lost, and has the first and last word."""

from matlabel.runs.hooks import Run
from matlabel.stages import STAGES

driver = Run(workflow, config)
plan = driver.plan


onstart:
    driver.begin()


onsuccess:
    driver.succeed()


onerror:
    driver.fail()
