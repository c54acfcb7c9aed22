"""Looking into the network: gradient checks and traces of one recorded chain."""
