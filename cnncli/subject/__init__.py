"""What is looked at: a network, its parameters, and one image or several."""
