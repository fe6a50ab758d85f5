"""Pictures that say "placeholder"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

WORD = "PLACEHOLDER"
PALETTE = ((54, 57, 66), (86, 91, 104), (255, 214, 10))
"""Colours as red, green and blue."""

GROUND, STRIPES, LETTERS = range(3)
"""Their places in the palette."""

_SMALLEST_LETTERS, _LARGEST_LETTERS = 8, 96
_LETTERS_A_WIDTH = 10
_STRIPE_PIXELS = 8


def striped_tile(width: int) -> np.ndarray[Any, Any]:
    """Draw the word on stripes, once; repeated it fills a picture of this width in pixels.

    :returns: places in :data:`PALETTE`, rows first.
    """
    import numpy as np

    word = _draw_word(_letter_pixels(width))
    rows, columns = (np.arange(_periods(size)) for size in word.shape)
    tile = ((columns + rows[:, None]) // _STRIPE_PIXELS % 2 * STRIPES).astype(np.uint8)
    _put_word(tile, word)
    return tile


def plain_picture(width: int, height: int) -> np.ndarray[Any, Any]:
    """Draw the word once on an empty ground, which video encoders find easy."""
    import numpy as np

    picture = np.full((height, width), GROUND, np.uint8)
    _put_word(picture, _draw_word(_letter_pixels(width)))
    return picture


def _put_word(picture: np.ndarray[Any, Any], word: np.ndarray[Any, Any]) -> None:
    """Put a word into the middle of a picture, or as much of it as there is place for."""
    height, width = (min(sizes) for sizes in zip(picture.shape, word.shape, strict=True))
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    picture[top : top + height, left : left + width][word[:height, :width]] = LETTERS


def _draw_word(letter_pixels: int) -> np.ndarray[Any, Any]:
    """Draw the word with a margin; ``True`` where there are letters."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(letter_pixels)
    left, top, right, bottom = (int(edge) for edge in font.getbbox(WORD))
    margin = letter_pixels // 2
    # One bit a pixel: smoothed edges would be colours that the palette does not have.
    drawn = Image.new("1", (right - left + 2 * margin, bottom - top + 2 * margin))
    ImageDraw.Draw(drawn).text((margin - left, margin - top), WORD, fill=1, font=font)
    return np.asarray(drawn)


def _letter_pixels(width: int) -> int:
    return min(max(width // _LETTERS_A_WIDTH, _SMALLEST_LETTERS), _LARGEST_LETTERS)


def _periods(size: int) -> int:
    """Round up to whole periods of the stripes, so that they go on from one tile to the next."""
    period = 2 * _STRIPE_PIXELS
    return -(-size // period) * period
