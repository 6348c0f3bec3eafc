"""Drawn faces: a small labelled set that the package paints itself, so that it runs without any data.

A stand-in until rendered faces take its place. Nothing else in facedis depends on how it is painted.
"""
