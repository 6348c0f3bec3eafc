"""Results in the terminal, one module per command."""
