"""Predict the expressions of faces in images."""
