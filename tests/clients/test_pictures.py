"""Pictures are read as they were made, and what is none is said to be none."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.clients.media import Box
from fixtures.clients.pictures import BLUE, JPEG, RED, halves, jpeg_size, read_png, vast


@given(st.integers(2, 40), st.integers(1, 20))
def test_halves_are_read_as_they_were_made(width: int, height: int) -> None:
    """Red on the left, blue on the right, in every row."""
    pixels = read_png(halves(width, height))
    assert (pixels.width, pixels.height) == (width, height)
    assert {pixels.at(0, y) for y in range(height)} == {RED}
    assert {pixels.at(width - 1, y) for y in range(height)} == {BLUE}


@pytest.mark.parametrize(
    ("kind", "second"),
    [
        (0, [40, 50, 60, 41, 52, 63]),
        (1, [40, 50, 60, 1, 2, 3]),
        (2, [30, 30, 30, 28, 29, 30]),
        (3, [35, 40, 45, 15, 16, 17]),
        (4, [30, 30, 30, 1, 2, 3]),
    ],
)
def test_each_way_to_write_a_row_is_read(kind: int, second: list[int]) -> None:
    """Two rows of two pixels; the second is written by each filter of the PNG specification."""
    first = [10, 20, 30, 13, 23, 33]
    pixels = read_png(_png(2, 2, bytes([0, *first, kind, *second])))
    assert list(pixels.rows[0]) == first
    assert list(pixels.rows[1]) == [40, 50, 60, 41, 52, 63]


def _png(width: int, height: int, raw: bytes) -> bytes:
    """A PNG, written a second time: what reads it is not judged by what writes beside it."""
    parts = b""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")):
        parts += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"<html>", "no PNG"),
        (JPEG, "no PNG"),
        (vast(8), "1 bits"),
        (halves(4, 4).replace(b"IDAT", b"IDOT"), "damaged"),
    ],
    ids=["text", "jpeg", "one bit", "damaged"],
)
def test_what_is_no_picture_of_ours_is_told(content: bytes, fault: str) -> None:
    """ValueError, with what it is instead."""
    with pytest.raises(ValueError, match=fault):
        read_png(content)


def test_a_vast_picture_is_small() -> None:
    """Its header promises a lot, its bytes are few."""
    content = vast(4000)
    assert struct.unpack(">II", content[16:24]) == (4000, 4000)
    assert len(content) < 20_000


def test_the_size_of_a_jpeg() -> None:
    """Of its frame; what is none is told."""
    assert jpeg_size(JPEG) == (64, 32)
    for content in (halves(2, 2), JPEG[:40]):
        with pytest.raises(ValueError, match="JPEG"):
            jpeg_size(content)


@pytest.mark.parametrize(
    ("box", "size"),
    [
        (Box(32, 32, "crop"), (32, 32)),
        (Box(640, 480, "scale"), (640, 320)),
        (Box(320, 100, "scale"), (200, 100)),
    ],
)
def test_a_box_of_a_picture_that_is_twice_as_wide_as_high(box: Box, size: tuple[int, int]) -> None:
    """It is filled, or the whole picture fits into it."""
    assert box.of(1000, 500) == size
