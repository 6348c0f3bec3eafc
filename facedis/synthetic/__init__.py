"""Rendered faces with known factors: identity, expression, intensity, pose, light, background.

The factors are sampled independently, so the information in a code can be measured for each one.
"""
