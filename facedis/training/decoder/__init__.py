"""Training of a decoder after the encoder is finished."""
