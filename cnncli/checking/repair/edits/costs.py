"""How unlikely each kind of edit is to be what went wrong: it decides what is tried, and named, first."""

COSTS = {
    # Slips of one character, which nobody sees when reading.
    "comparison": 1.0,
    "assignment": 1.0,  # = for += is the commonest mistake in loops over patches
    "one more or less": 1.1,
    "operator": 1.2,
    "sign": 1.3,
    "axis": 1.2,
    "order of indexes": 1.3,
    # One word for another.
    "function": 1.4,
    "similar name": 1.5,
    "keyword": 1.6,
    "transpose": 1.5,
    "turn": 1.7,
    "word": 1.6,
    "type": 1.5,
    "copy": 1.6,
    "constant": 1.8,
    "logic": 1.6,
    # Something that should not be there: people add clips, masks and penalties. That all is right without a part of it
    # is hardly ever chance, while a condition that is exchanged for another may just never be true in any case.
    "no condition": 0.9,
    "no statement": 0.9,
    "no factor": 1.0,
    "no term": 1.0,
    "no call": 1.1,
    "no operand": 1.0,
    "no index": 2.0,
    "choice": 1.7,
    "two deletions": 0.0,  # and what the two cost
    "two slips": 0.0,
    # Something that is missing.
    "factor": 2.0,
    "axes given": 1.9,
    "accumulated": 1.5,
    "condition added": 2.2,
    "mask": 2.0,
    # Order.
    "moved": 2.0,
    "order of members": 1.6,
    "order of arguments": 1.8,
    "reshape": 2.0,
    # Large families, most of which make no sense.
    "name": 2.6,
    "target": 2.8,
    "window": 2.2,
    "index as elsewhere": 2.0,
    "letters": 2.5,
    "size": 3.5,
}
MORE = 0.5  # where an edit is one of the less likely of its kind
FAR = 1.0  # where it is one of the least likely
SEVERAL = 0.4  # the same slip in several places
TWICE = 0.8  # two unlike edits at once
