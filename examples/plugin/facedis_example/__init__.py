"""Example of a plugin package with a command and a dataset reader."""
