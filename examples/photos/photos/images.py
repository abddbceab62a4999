"""What is done to a picture: pure functions from a file to a file."""

from __future__ import annotations

import io
import math
from typing import IO, TYPE_CHECKING

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from photos.settings import MAX_PIXELS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")  # no other decoder is even tried
ORIENTATION = 0x0112  # the EXIF tag: how the camera was held
SIDEWAYS = {5, 6, 7, 8}  # its values that exchange width and height
BACKGROUND = (24, 26, 31)
TILE, GAP = 200, 12  # pixels, on the contact sheet
SRGB = ImageCms.ImageCmsProfile(
    # Pillow leaves the class of a profile untyped.
    ImageCms.createProfile("sRGB")  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
)


class Refused(Exception):
    """A file is not taken; the message says why, to the person who sent it."""


class TooLarge(Refused):
    """A file is too big, or its picture is."""


def check(file: Path) -> tuple[int, int]:
    """Decode a picture once, so that no job ever meets one that is broken.

    Returns:
        Its width and height in pixels, the right way up.

    Raises:
        Refused: it is not a picture, or it is damaged.
        TooLarge: it has more pixels than the limit.
    """
    try:
        with Image.open(file, formats=FORMATS) as image:
            return _decoded_size(image)
    except Refused:
        raise
    except UnidentifiedImageError:
        raise Refused("this is not a JPEG, PNG, WebP or GIF picture") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooLarge(_too_many_pixels()) from None
    except Exception as error:  # decoders raise anything on bad bytes
        raise Refused("the picture is damaged: it cannot be read whole") from error


def _decoded_size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    # The header is enough to say no, before any memory is spent.
    if width * height > MAX_PIXELS:
        raise TooLarge(_too_many_pixels())
    sideways = _is_sideways(image)
    # A JPEG is decoded at an eighth of its size, which still reads all of it.
    image.draft(None, (width // 8 or 1, height // 8 or 1))
    image.load()
    return (height, width) if sideways else (width, height)


def _too_many_pixels() -> str:
    return f"the picture has more than {MAX_PIXELS // 1_000_000} million pixels"


def _is_sideways(image: Image.Image) -> bool:
    try:
        return image.getexif().get(ORIENTATION) in SIDEWAYS
    except Exception:  # noqa: BLE001 - broken EXIF data must not cost the picture
        return False


def shrink(original: Path, target: IO[bytes], width: int) -> tuple[int, int]:
    """Write a picture, upright, in a width, as WebP, without any metadata.

    A smaller picture keeps its size; a very tall one is at most twice as high
    as the width.

    Args:
        original: a file that ``check`` has let through.
        target: a file opened for writing.
        width: in pixels, at most.

    Returns:
        The width and height that were written, in pixels.
    """
    image = _small(original, (width, 2 * width))
    image.save(target, "WEBP", quality=82, method=4)
    return image.size


def palette(original: Path, colours: int = 5) -> list[str]:
    """Return a picture's main colours, the most frequent first, as ``#rrggbb``."""
    image = _small(original, (96, 96))
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    counted = image.convert("RGB").quantize(colours, Image.Quantize.MEDIANCUT)
    found = counted.convert("RGB").getcolors(image.width * image.height) or []
    found.sort(key=lambda one: one[0], reverse=True)
    return ["#" + bytes(_channels(colour)).hex() for _, colour in found]


def _channels(colour: float | tuple[int, ...]) -> tuple[int, ...]:
    return colour if isinstance(colour, tuple) else (int(colour),) * 3


def contact_sheet(previews: Sequence[Path], target: IO[bytes]) -> None:
    """Write one picture with a tile for each preview, as square as may be."""
    columns = max(1, math.ceil(math.sqrt(len(previews))))
    rows = max(1, math.ceil(len(previews) / columns))
    sheet = Image.new("RGB", (_span(columns), _span(rows)), BACKGROUND)
    for index, preview in enumerate(previews):
        row, column = divmod(index, columns)
        with Image.open(preview, formats=FORMATS) as image:
            tile = ImageOps.fit(image.convert("RGBA"), (TILE, TILE))
        sheet.paste(tile, (_span(column), _span(row)), tile)
    sheet.save(target, "WEBP", quality=85)


def _span(tiles: int) -> int:
    return GAP + tiles * (TILE + GAP)


def _small(original: Path, box: tuple[int, int]) -> Image.Image:
    """Return a picture that fits a box: upright, sRGB, of RGB or RGBA, and bare."""
    with Image.open(original, formats=FORMATS) as opened:
        sideways = _is_sideways(opened)
        image = _resizable(opened)
        # A JPEG is shrunk while it is decoded: thumbnail comes before all else.
        image.thumbnail((box[1], box[0]) if sideways else box, reducing_gap=2.0)
        image = _in_srgb(_upright(image))
    # Cleared last, as the steps above need it: EXIF, GPS, XMP, ICC, comments.
    image.info = {}
    return image


def _resizable(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Two bytes a pixel, the lower one first; convert() would clip them to white.
        return Image.frombytes("L", image.size, image.tobytes()[1::2])
    if image.mode in {"RGB", "RGBA", "L", "CMYK"} and "transparency" not in image.info:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 - broken EXIF data must not cost the picture
        return image


def _in_srgb(image: Image.Image) -> Image.Image:
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    profile = image.info.get("icc_profile")
    if not profile:
        return image.convert(mode)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, SRGB, outputMode=mode)
    except (ImageCms.PyCMSError, OSError):  # a broken profile must not cost the picture
        return image.convert(mode)
    return converted or image.convert(mode)
