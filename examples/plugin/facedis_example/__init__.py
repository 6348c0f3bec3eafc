"""Example of a package that adds a command and a dataset reader to facedis."""
