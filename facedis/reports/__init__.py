"""Reports of results: terminal, HTML, figures, tables and model cards."""
