"""`python -m matlabel`."""

from matlabel.cli import main

main()
