"""Ways to damage a file."""

import struct
import zlib
from collections.abc import Callable
from random import Random

Damage = Callable[[Random, bytes], bytes]


def flip_bits(random: Random, content: bytes) -> bytes:
    """A few bits, near the beginning as often as anywhere."""
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 8, 64))):
        changed[_place(random, content)] ^= 1 << random.randrange(8)
    return bytes(changed)


def overwrite(random: Random, content: bytes) -> bytes:
    """A few bytes, by values that lengths and sizes break at."""
    changed = bytearray(content)
    at = _place(random, content)
    new = random.choice(
        (
            b"\0",
            b"\xff",
            b"\xff\xff\xff\xff",
            b"\x7f\xff\xff\xff",
            b"\xff\xff\xff\x7f",
            b"\0\0\0\x80",
            b"\0" * 8,
            random.randbytes(random.choice((1, 2, 4, 8, 100))),
        )
    )
    changed[at : at + len(new)] = new
    return bytes(changed)


def cut(random: Random, content: bytes) -> bytes:
    """The end is missing, or the beginning."""
    at = _place(random, content)
    return content[:at] if random.random() < 0.8 else content[at:]


def remove(random: Random, content: bytes) -> bytes:
    """A part in the middle is missing."""
    at = _place(random, content)
    return content[:at] + content[at + random.choice((1, 2, 4, 100)) :]


def insert(random: Random, content: bytes) -> bytes:
    """A part stands twice, or something new stands between."""
    at, other = _place(random, content), _place(random, content)
    new = content[other : other + random.choice((1, 4, 50, 1000))] if random.random() < 0.5 else random.randbytes(7)
    return content[:at] + new + content[at:]


def blank(random: Random, content: bytes) -> bytes:
    """A part is one byte repeated."""
    at, length = _place(random, content), random.choice((2, 16, 300, 5000))
    part = content[at : at + length]
    return content[:at] + random.choice((b"\0", b"\xff", b" ", b"[", b"9")) * len(part) + content[at + length :]


def swap(random: Random, content: bytes) -> bytes:
    """Two parts have changed places."""
    a, b = sorted((_place(random, content), _place(random, content)))
    length = max(min(random.choice((1, 4, 64, 1000)), b - a), 1)
    return (
        content[:a]
        + content[b : b + length]
        + content[a + length : b]
        + content[a : a + length]
        + content[b + length :]
    )


DAMAGES: tuple[Damage, ...] = (flip_bits, overwrite, cut, remove, insert, blank, swap)


def damage(random: Random, content: bytes, also: tuple[Damage, ...] = ()) -> tuple[str, bytes]:
    """One way, sometimes several, with their names; `also` are those of this kind of file."""
    names = []
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        if not content:
            break
        ways = also if also and random.random() < 0.5 else DAMAGES
        way = random.choice(ways)
        content = way(random, content)
        names.append(way.__name__)
    return " ".join(names), content


def damage_chunks(random: Random, content: bytes) -> bytes:
    """A PNG whose chunks are swapped, doubled, gone, or lie about themselves; with right checksums."""
    chunks = _split_png(content)
    if not chunks:
        return flip_bits(random, content)
    at = random.randrange(len(chunks))
    kind, data = chunks[at]
    way = random.randrange(6)
    if way == 0:
        other = random.randrange(len(chunks))
        chunks[at], chunks[other] = chunks[other], chunks[at]
    elif way == 1:
        chunks.insert(random.randrange(len(chunks)), (kind, data))
    elif way == 2:
        del chunks[at]
    elif way == 3:
        chunks[at] = random.choice(((kind, b""), (kind, data * 2), (kind, data + random.randbytes(9))))
    elif way == 4:
        chunks[at] = (kind, flip_bits(random, data) if data else random.randbytes(13))
    else:
        names = (b"tRNS", b"PLTE", b"iCCP", b"acTL", b"fdAT", b"eXIf", b"zTXt", b"iTXt", b"gAMA", b"IDAT")
        chunks.insert(1, (random.choice(names), random.randbytes(random.choice((0, 1, 20, 300)))))
    return content[:8] + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def lie_about_size(random: Random, content: bytes) -> bytes:
    """The header of an image claims another size, or another kind of pixel."""
    sizes = (0, 1, 2, 7, 9, 13, 255, 1000)
    if random.random() < 0.1:  # rarely, for what is just permitted takes seconds
        sizes = (1, 1000, 9_999, 10_000, 16_383, 65_535, 2**31 - 1, 2**32 - 1)
    width, height = random.choice(sizes), random.choice(sizes)
    changed = bytearray(content)
    if content.startswith(b"\x89PNG"):
        chunks = _split_png(content)
        if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) < 13:
            return flip_bits(random, content)
        depth, colour = random.choice((1, 2, 4, 8, 16)), random.choice((0, 2, 3, 4, 6))
        tail = bytes([depth, colour]) + chunks[0][1][10:] if random.random() < 0.5 else chunks[0][1][8:]
        data = struct.pack(">II", width, height) + tail
        changed[16:33] = data + struct.pack(">I", zlib.crc32(b"IHDR" + data))
    elif content.startswith(b"BM"):
        changed[18:26] = struct.pack("<II", width, height)
    elif content.startswith(b"GIF"):
        changed[6:10] = struct.pack("<HH", width & 0xFFFF, height & 0xFFFF)
    elif (at := max(content.find(mark) for mark in (b"\xff\xc0", b"\xff\xc1", b"\xff\xc2"))) > 0:
        changed[at + 5 : at + 9] = struct.pack(">HH", height & 0xFFFF, width & 0xFFFF)
    else:
        return overwrite(random, content)
    return bytes(changed)


def _split_png(content: bytes) -> list[tuple[bytes, bytes]]:
    chunks, at = [], 8
    while at + 12 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        if at + 12 + length > len(content):
            break
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def _place(random: Random, content: bytes) -> int:
    near = random.random() < 0.5
    return random.randrange(min(len(content), 64) if near else len(content)) if content else 0
