"""What the example does to pictures."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import TYPE_CHECKING, cast

import pytest
from photos import images, samples
from photos.settings import MAX_PIXELS
from PIL import Image, ImageCms

if TYPE_CHECKING:
    from pathlib import Path

SECRET = b"52.5200N 13.4050E"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "original"


def shrunk(original: Path, width: int) -> Image.Image:
    target = io.BytesIO()
    images.shrink(original, target, width)
    return Image.open(target)


def halves(size: tuple[int, int], left: str, right: str) -> Image.Image:
    image = Image.new("RGB", size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    return image


def empty_png(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", bytes(10))


def chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def is_near(pixel: object, colour: tuple[int, int, int]) -> bool:
    red, green, blue, *_ = cast("tuple[int, ...]", pixel)
    return all(abs(a - b) < 16 for a, b in zip((red, green, blue), colour, strict=True))


def test_a_picture_taken_sideways_comes_out_upright(file: Path) -> None:
    exif = Image.Exif()
    exif[images.ORIENTATION] = 6  # to be turned clockwise: what is left comes up
    halves((400, 200), "red", "blue").save(file, "JPEG", exif=exif, quality=95)

    assert images.check(file) == (200, 400)
    upright = shrunk(file, 100)
    assert upright.size == (100, 200)
    assert is_near(upright.getpixel((50, 20)), (255, 0, 0))
    assert is_near(upright.getpixel((50, 180)), (0, 0, 255))


def test_a_rendition_carries_no_metadata(file: Path) -> None:
    exif = Image.Exif()
    exif[samples.DESCRIPTION] = SECRET.decode()
    profile = ImageCms.ImageCmsProfile(
        ImageCms.createProfile("sRGB")  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    ).tobytes()
    Image.new("RGB", (64, 64), "teal").save(
        file, "JPEG", exif=exif, xmp=SECRET, comment=SECRET, icc_profile=profile
    )
    assert file.read_bytes().count(SECRET) == 3

    target = io.BytesIO()
    images.shrink(file, target, 32)

    assert SECRET not in target.getvalue()
    made = Image.open(target)
    assert made.getexif() == {}
    assert {"exif", "xmp", "icc_profile", "comment"}.isdisjoint(made.info)


def test_a_sample_tells_too_much_until_it_is_developed(file: Path) -> None:
    _, content = samples.paint(0)
    file.write_bytes(content)
    assert b"taken at home" in content

    target = io.BytesIO()
    images.shrink(file, target, 320)

    assert b"taken at home" not in target.getvalue()


def test_each_sample_is_another_picture_and_the_same_each_time() -> None:
    handful = list(samples.handful())

    assert handful == list(samples.handful())
    others = [samples.paint(number) for number in range(len(handful), 10)]
    assert len({content for _, content in handful + others}) == 10
    assert len({name for name, _ in handful + others}) == 10


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_all_four_formats_are_taken(file: Path, kind: str) -> None:
    halves((600, 300), "white", "black").save(file, kind)

    assert images.check(file) == (600, 300)
    small = shrunk(file, 200)
    assert (small.format, small.size) == ("WEBP", (200, 100))
    assert is_near(small.getpixel((20, 50)), (255, 255, 255))
    assert is_near(small.getpixel((180, 50)), (0, 0, 0))


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "ICO", "PPM", "PDF"])
def test_other_formats_are_refused(file: Path, kind: str) -> None:
    Image.new("RGB", (32, 32)).save(file, kind)

    with pytest.raises(images.Refused, match="not a JPEG, PNG, WebP or GIF"):
        images.check(file)


@pytest.mark.parametrize(
    "content",
    [b"", b"notes", b"\xff\xd8\xff", b"<svg/>", b"GIF89a", b"\x89PNG\r\n\x1a\n"],
)
def test_what_is_no_picture_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)

    with pytest.raises(images.Refused):
        images.check(file)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_that_was_cut_short_is_refused(file: Path, kind: str) -> None:
    Image.effect_noise((200, 200), 80).convert("RGB").save(file, kind)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(images.Refused, match="damaged"):
        images.check(file)


@pytest.mark.parametrize("side", [8_000, 12_000, 60_000])
def test_a_gigantic_picture_in_a_tiny_file_is_refused(file: Path, side: int) -> None:
    file.write_bytes(empty_png(side, side))

    with pytest.raises(images.TooLarge, match="more than 50 million pixels"):
        images.check(file)


def test_a_picture_at_the_limit_is_taken(file: Path) -> None:
    size = (MAX_PIXELS // 5_000, 5_000)
    Image.new("L", size).save(file, "PNG")

    assert images.check(file) == size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_damage_anywhere_is_refused_or_does_no_harm(file: Path, kind: str) -> None:
    chance = random.Random(kind)  # noqa: S311 - the same damage each time
    exif = Image.Exif()
    exif[images.ORIENTATION] = 6
    halves((120, 80), "red", "blue").save(file, kind, exif=exif.tobytes())
    whole = file.read_bytes()
    outcomes = set[str]()
    for _ in range(200):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 1, 4, 20))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        file.write_bytes(damaged)
        try:
            images.check(file)
        except images.Refused:
            outcomes.add("refused")
        else:
            assert shrunk(file, 40).width <= 40
            assert images.palette(file)
            outcomes.add("taken")

    assert outcomes == {"refused", "taken"}


def test_a_small_picture_is_not_enlarged(file: Path) -> None:
    Image.new("RGB", (100, 50)).save(file, "PNG")

    assert shrunk(file, 480).size == (100, 50)


@pytest.mark.parametrize(
    ("size", "limits"), [((3, 20_000), (1600, 3200)), ((40_000, 3), (1600, 1))]
)
def test_an_endless_strip_still_fits(
    file: Path, size: tuple[int, int], limits: tuple[int, int]
) -> None:
    Image.new("RGB", size).save(file, "PNG")

    width, height = shrunk(file, 1600).size
    assert width <= limits[0]
    assert height <= limits[1]


def test_what_is_transparent_stays_transparent(file: Path) -> None:
    image = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 50, 100))
    for variant in (image, image.quantize(8), image.convert("LA")):
        variant.save(file, "PNG")

        made = shrunk(file, 50)

        assert made.mode == "RGBA"
        alphas = [made.getchannel("A").getpixel((x, 25)) for x in (10, 40)]
        assert alphas == [255, 0]
        assert "#ffffff" in images.palette(file)


def test_sixteen_bits_of_grey_keep_their_shades(file: Path) -> None:
    row = struct.pack("<40H", *[0x4000] * 20, *[0xC000] * 20)
    Image.frombytes("I;16", (40, 20), row * 20).save(file, "PNG")

    made = shrunk(file, 40)

    assert is_near(made.getpixel((5, 10)), (0x40, 0x40, 0x40))
    assert is_near(made.getpixel((35, 10)), (0xC0, 0xC0, 0xC0))


def test_colours_of_print_become_colours_of_screens(file: Path) -> None:
    Image.new("CMYK", (64, 64), (255, 255, 0, 0)).save(file, "JPEG", quality=95)

    made = shrunk(file, 32)

    assert made.mode == "RGB"
    assert is_near(made.getpixel((16, 16)), (0, 0, 255))


def test_a_broken_colour_profile_does_not_cost_the_picture(file: Path) -> None:
    Image.new("RGB", (64, 64), "lime").save(file, "PNG", icc_profile=b"no profile")

    assert is_near(shrunk(file, 32).getpixel((16, 16)), (0, 255, 0))


def test_a_moving_picture_shows_its_first_moment(file: Path) -> None:
    moments = [Image.new("RGB", (50, 50), colour) for colour in ("red", "blue")]
    moments[0].save(file, "GIF", save_all=True, append_images=moments[1:])

    assert is_near(shrunk(file, 25).getpixel((12, 12)), (255, 0, 0))


def test_the_palette_begins_with_the_most_frequent_colour(file: Path) -> None:
    image = Image.new("RGB", (90, 90), "#102030")
    image.paste("#e0c080", (0, 0, 90, 30))
    image.save(file, "PNG")

    assert images.palette(file) == ["#102030", "#e0c080"]


def test_a_contact_sheet_has_a_tile_for_each_preview(tmp_path: Path) -> None:
    colours = ("red", "lime", "blue", "white", "yellow")
    previews = [tmp_path / colour for colour in colours]
    for preview, colour in zip(previews, colours, strict=True):
        Image.new("RGB", (80, 40), colour).save(preview, "WEBP", lossless=True)
    target = io.BytesIO()

    images.contact_sheet(previews, target)

    sheet = Image.open(target)
    assert sheet.size == (648, 436)  # three columns, two rows
    assert is_near(sheet.getpixel((100, 100)), (255, 0, 0))
    assert is_near(sheet.getpixel((320, 320)), (255, 255, 0))
    assert is_near(sheet.getpixel((530, 320)), images.BACKGROUND)
