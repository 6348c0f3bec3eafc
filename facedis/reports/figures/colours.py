"""The colours of all figures."""

#: One colour per expression, distinguishable with colour blindness.
COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#000000", "#999933")
