"""Paints a handful of pictures, so that the first look is not an empty page."""

from __future__ import annotations

import io
import math
import random
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG, SHORT = 1800, 1200  # pixels
LAYERS = 5  # rows of hills
ORIENTATION, DESCRIPTION, MAKER = 0x0112, 0x010E, 0x010F  # EXIF tags
TURN_CLOCKWISE = 6  # what EXIF calls it


class Scene(NamedTuple):
    """A sky, a sun or moon, and hills that fade into the distance."""

    name: str
    colours: str  # the sky's top, its horizon, the sun, the farthest hill, the nearest
    stars: int = 0
    turned: bool = False  # taken with the camera on its side


SCENES = (
    Scene("sunrise.jpg", "2b4c7e ffb88c fff3c4 c98a8a 3b2a4a"),
    Scene("meadow.jpg", "4aa3df e8f6ff ffffff 9cc69b 2d5a3d"),
    Scene("night.jpg", "050a1f 27407a f4f1de 2a3a66 070b18", stars=400),
    Scene("desert.jpg", "e07a3f ffe3a9 fffbe8 e0a060 7a3420"),
    Scene("fjord.jpg", "5b7c99 dfe9ee fefefe a9bfcb 22414f", turned=True),
    Scene("dusk.jpg", "1b1440 e8638b ffd6a5 7d3f7f 160f2e", stars=120),
)


def paint(number: int) -> tuple[str, bytes]:
    """Return the name and the bytes of one picture; each number has its own.

    The first six have names; what follows are the same scenes, with other hills.
    """
    scene = SCENES[number % len(SCENES)]
    chance = random.Random(number)  # noqa: S311 - the same pictures each time, no secrets
    image = _painted(scene, (SHORT, LONG) if scene.turned else (LONG, SHORT), chance)
    exif = Image.Exif()
    exif[MAKER], exif[DESCRIPTION] = "a camera that tells too much", "taken at home"
    if scene.turned:
        # As a phone does it: stored on its side, with a note how to turn it.
        image = image.transpose(Image.Transpose.ROTATE_90)
        exif[ORIENTATION] = TURN_CLOCKWISE
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90, exif=exif)
    name = scene.name if number < len(SCENES) else f"{number}-{scene.name}"
    return name, file.getvalue()


def handful() -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each picture that has a name."""
    return (paint(number) for number in range(len(SCENES)))


def _painted(scene: Scene, size: tuple[int, int], chance: random.Random) -> Image.Image:
    top, horizon, sun, farthest, nearest = map(bytes.fromhex, scene.colours.split())
    image = _sky(size, top, horizon)
    width, height = size
    draw = ImageDraw.Draw(image)
    for _ in range(scene.stars):
        place = chance.uniform(0, width), chance.uniform(0, height * 0.6)
        draw.ellipse(_circle(place, chance.choice((1, 1, 1, 2))), "white")
    _shine(image, sun, (chance.uniform(0.2, 0.8) * width, height * 0.32))
    for layer in range(LAYERS):
        colour = _between(farthest, nearest, layer / (LAYERS - 1))
        ridge = _ridge(size, 0.5 + 0.1 * layer, chance)
        draw.polygon([(0, height), *ridge, (width, height)], colour)
    return image


def _sky(size: tuple[int, int], top: bytes, horizon: bytes) -> Image.Image:
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    width, height = size
    for y in range(height):
        draw.line((0, y, width, y), _between(top, horizon, y / height))
    return image


def _shine(image: Image.Image, colour: bytes, centre: tuple[float, float]) -> None:
    """Put a sun, or a moon, and its glow into the sky."""
    glow = Image.new("L", image.size)
    ImageDraw.Draw(glow).ellipse(_circle(centre, 220), 70)
    glow = glow.filter(ImageFilter.GaussianBlur(60))
    ImageDraw.Draw(glow).ellipse(_circle(centre, 70), 255)
    image.paste(Image.new("RGB", image.size, tuple(colour)), (0, 0), glow)


def _circle(
    centre: tuple[float, float], radius: float
) -> tuple[float, float, float, float]:
    x, y = centre
    return (x - radius, y - radius, x + radius, y + radius)


def _ridge(
    size: tuple[int, int], level: float, chance: random.Random
) -> list[tuple[float, float]]:
    """Return the outline of a row of hills: a few waves on top of one another."""
    width, height = size
    waves = [
        (0.09 / wave, wave * chance.uniform(0.7, 1.4), chance.uniform(0, 1))
        for wave in (1, 2, 4, 9)
    ]

    def y(x: int) -> float:
        turns = ((part, often * x / width + start) for part, often, start in waves)
        return level + sum(part * math.sin(math.tau * turn) for part, turn in turns)

    return [(x, height * y(x)) for x in range(0, width + 1, 4)]


def _between(first: bytes, second: bytes, part: float) -> tuple[int, ...]:
    return tuple(round(a + (b - a) * part) for a, b in zip(first, second, strict=True))
