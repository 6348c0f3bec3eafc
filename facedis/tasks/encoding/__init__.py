"""Encode faces and store their codes."""
