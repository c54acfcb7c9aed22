"""What becomes of one image: every value on its way through the network and back, and where each comes from."""
