"""The faces cache: one HDF5 file of aligned faces and their labels."""
