"""The steps of the network, one file each."""
