"""The NumPy engine: the textbook's numbers in float32, made for speed where there is no compiled engine.

engine.py has the textbook's signature. A batch is cut into chunks, which go through the blocks one after the other
(chunk.py); what happens to a chunk in a block is told in block.py.
"""
