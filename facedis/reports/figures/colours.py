"""The colours of the expressions in every picture."""

#: One colour an expression, told apart by those who see colours differently too.
COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#000000", "#999933")
