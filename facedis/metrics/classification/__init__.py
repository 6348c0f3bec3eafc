"""Accuracy and calibration of a classifier."""
