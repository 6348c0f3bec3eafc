"""File formats in which datasets are stored."""
