"""Compare faces by their codes."""
