"""`python -m shared` is the command line."""

from shared.cli import main

main()
