"""The fused engine: the textbook's numbers in float32, made for speed. Training and prediction run on it.

engine.py has the textbook's signature. A batch is a sum over its images, so it is cut into chunks (board.py), which
processes share among them (team.py); each takes its chunks through the blocks (chunk.py), and what happens to a chunk
in a block is told in block.py.
"""
