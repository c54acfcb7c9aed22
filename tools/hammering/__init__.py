"""The hammer: mutated inputs of every kind, thrown at the program until it breaks."""
