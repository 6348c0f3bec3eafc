"""Rendered faces with known factors: who, which expression, how strong, pose, light, background.

All factors are drawn without looking at each other, so a code can be asked for each of them alone.
"""
