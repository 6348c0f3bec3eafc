"""Options, model choice and output that the commands share."""
