"""From images to the faces cache: detect, cut out, store, read."""
