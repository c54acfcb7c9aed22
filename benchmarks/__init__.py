"""Side by side with what a user would pick instead; needs `pip install cnncli[bench]` and a quiet machine.

python -m benchmarks.step          one training step, this engine and PyTorch alternating in one process
python -m benchmarks.end_to_end    60,000 images from files to a trained model, whole processes
python -m benchmarks.startup       how long a command takes to answer
python -m benchmarks.accusations   right gradients of other programs accused by gradcheck, and the smallest error found
python -m benchmarks.checkers      check_vjp and other gradient checkers on the same right and wrong functions
python -m benchmarks.document      the first three, written into docs/performance.md
"""
