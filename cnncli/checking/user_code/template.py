"""A file to start from: the contract, to be filled in."""

from cnncli.checking.user_code.contract import FUNCTIONS, NOTE, Function

TEMPLATE = '''"""My backward pass, to be checked by: {command} {name}

The network is  {network},
L = mean over the m images of the binary cross-entropy.

All arrays are float64. m images, C channels, N filters, k×k kernels, pooling windows of pool×pool:

    X  (m, C, H, W)    w1 (N, C, k, k)    b1 (N,)    Z1, A1 (m, N, H-k+1, W-k+1)    P1 (m, N, p, q)
    F  (m, D)          w2 (K, D)          b2 (K,)    z2 (m, K), K = 1               y  (m,), whole numbers 0 or 1

z2 may be as far from 0 as 10⁴; a gradient may be 0, tiny or huge, and A1, where pooling is checked alone, below 0.

A gradient has the shape of what it belongs to: dw1 means dL/dw1. Those of parameters are summed over the images; the
1/m of the mean is in dz2 already. What takes the gradient of equal maxima, or where Z is 0, is a convention: another
one than the one stated is a KINK and no failure. Every function is checked alone: fill in as many as you like, delete
the others. Checked too, if you define them: {others}.

Put None in the place of a gradient that you do not compute. A function with an argument padding, stride, dilation, pool
or pool_stride besides is given it by name. Arrays in another order are stated once: LAYOUT = "NHWC", KERNEL = "kkCN",
DENSE = "DK" or BIAS = (-1, 1), below the imports.
"""

import numpy as np


{functions}

# Or all at once, with pooling windows of 2×2:
#
# def backward(X, y, w1, b1, w2, b2):
#     return {{"dw1": dw1, "db1": db1, "dw2": dw2, "db2": db2}}
'''


def write_stubs(name: str, command: str) -> str:
    """The text of a file to start from; `name` is the file's own, `command` checks it."""
    answer, formula = NOTE.output.values[0]
    equations = [(step.output, step.formula) for step in NOTE.steps] + [(answer, formula)]
    network = ",  ".join(f"{tensor.name} = {formula}" for tensor, formula in equations)
    signatures = {NOTE.output.signature, *(step.signature for step in NOTE.steps)}
    functions = "\n\n".join(_stub(function) for function in FUNCTIONS if function.signature in signatures)
    others = " and ".join(f.signature for f in FUNCTIONS if f.signature not in signatures and not f.is_whole)
    return TEMPLATE.format(name=name, command=command, network=network, functions=functions, others=others)


def _stub(function: Function) -> str:
    lines = [f"def {function.signature}:", f'    """{function.contract}"""', "    raise NotImplementedError"]
    if len(function.returns) > 1:
        lines.append(f"    return {', '.join(f'd{name}' for name in function.returns)}")
    return "\n".join(lines) + "\n"
