"""Terminal reports, one module per command. Each `render` function yields what rich prints of one record."""
