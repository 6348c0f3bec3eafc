"""`python -m facedis`: the same as `facedis`."""

from facedis.cli import main

main()
