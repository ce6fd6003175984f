"""Draws small pictures in every file form that Banyan decodes, and notes what Pillow and transformers make of them.

    python Tools/goldens/image.py            writes Tests/Goldens/image/

Made with the versions noted in index.json. Everything is drawn here from fixed seeds: equal versions, equal bytes.
index.json lists decoded pixels (decoded.bin, uint8), resizes (resized.bin, uint8) and preprocessed planes (planes.bin,
float32, little endian), each by offset and shape.
"""

import io
import json
import pathlib
import struct
import zlib

import numpy as np
import PIL
import transformers
from PIL import Image, ImageDraw, ImageOps
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

ROOT = pathlib.Path(__file__).resolve().parents[2] / "Tests" / "Goldens" / "image"
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def draw(width, height, seed):
    """A gradient, two shapes and some noise, as an RGB picture."""
    noise = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    planes = np.stack([255 * x, 255 * y, 255 * (1 - x * y)], axis=-1)
    picture = Image.fromarray(planes.astype(np.uint8))
    brush = ImageDraw.Draw(picture)
    brush.ellipse([width * 0.2, height * 0.1, width * 0.7, height * 0.6], fill=(230, 40, 90))
    brush.rectangle([width * 0.5, height * 0.5, width * 0.9, height * 0.8], fill=(20, 160, 250))
    spotted = np.asarray(picture).astype(int)
    spotted[: (height + 1) // 2] += noise.integers(-20, 21, spotted[: (height + 1) // 2].shape)
    return Image.fromarray(np.clip(spotted, 0, 255).astype(np.uint8))


def orientation_block(value, big_endian=False):
    """A TIFF block that holds nothing but the orientation."""
    order = ">" if big_endian else "<"
    head = b"MM\0*" if big_endian else b"II*\0"
    return head + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, value, 0, 0)


def pack_rows(samples, depth):
    """Scan lines of [h, w, c] samples, each behind the filter byte 0."""
    lines = []
    for row in samples:
        flat = row.reshape(-1)
        if depth == 16:
            line = flat.astype(">u2").tobytes()
        elif depth == 8:
            line = flat.astype(np.uint8).tobytes()
        else:
            bits = (flat[:, None] >> np.arange(depth - 1, -1, -1)) & 1
            line = np.packbits(bits.reshape(-1).astype(np.uint8)).tobytes()
        lines.append(b"\0" + line)
    return b"".join(lines)


def png(samples, colour, depth, palette=None, transparency=None, interlaced=False, exif=None):
    """A PNG of [h, w, c] samples; written by hand, because Pillow does not write every form."""
    height, width = samples.shape[:2]

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    if interlaced:
        parts = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7]
        rows = b"".join(pack_rows(part, depth) for part in parts if part.size)
    else:
        rows = pack_rows(samples, depth)
    out = b"\x89PNG\r\n\x1a\n"
    out += chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced)))
    if exif:
        out += chunk(b"eXIf", exif)
    if palette is not None:
        out += chunk(b"PLTE", palette.astype(np.uint8).tobytes())
    if transparency:
        out += chunk(b"tRNS", transparency)
    return out + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def saved(picture, form, **options):
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def ink_jpeg(transform):
    """A four-ink JPEG whose Adobe marker says CMYK (0) or YCCK (2)."""
    data = bytearray(saved(draw(23, 31, 5).convert("CMYK"), "JPEG", quality=85))
    marker = data.index(b"Adobe")
    data[marker + 11] = transform
    return bytes(data)


def jpegs():
    for width, height in [(1, 1), (3, 200), (37, 53), (129, 64), (200, 133)]:
        yield f"rgb-{width}x{height}.jpg", saved(draw(width, height, width), "JPEG", quality=88)
    for name, sampling in [("444", 0), ("422", 1)]:
        yield f"rgb-{name}.jpg", saved(draw(23, 31, 2), "JPEG", quality=90, subsampling=sampling)
    yield "rgb-progressive.jpg", saved(draw(33, 25, 3), "JPEG", quality=80, progressive=True)
    yield "rgb-untransformed.jpg", saved(draw(23, 31, 4), "JPEG", quality=90, keep_rgb=True)
    yield "grey.jpg", saved(draw(23, 31, 6).convert("L"), "JPEG", quality=85)
    yield "cmyk.jpg", ink_jpeg(0)
    yield "ycck.jpg", ink_jpeg(2)
    for value in range(1, 9):
        block = b"Exif\0\0" + orientation_block(value, big_endian=value % 2 == 0)
        yield f"orientation-{value}.jpg", saved(draw(13, 9, 7), "JPEG", quality=90, exif=block)
    yield "orientation-9.jpg", saved(draw(13, 9, 7), "JPEG", quality=90, exif=b"Exif\0\0" + orientation_block(9))


def pngs():
    picture = draw(23, 31, 8)
    rgb = np.asarray(picture).astype(int)
    grey = np.asarray(picture.convert("L")).astype(int)[..., None]
    alpha = (np.add.outer(np.arange(31), np.arange(23)) * 5 % 256)[..., None]
    deep = np.random.default_rng(9).integers(0, 65536, (31, 23, 4))
    ramp = np.random.default_rng(10).integers(0, 600, (31, 23, 1))
    palette = np.random.default_rng(11).integers(0, 256, (256, 3))
    for interlaced in [False, True]:
        mark = "-interlaced" if interlaced else ""
        for depth in [1, 2, 4, 8]:
            coarse = grey >> (8 - depth)
            yield f"grey-{depth}{mark}.png", png(coarse, 0, depth, interlaced=interlaced)
            colours = palette[: 1 << depth]
            yield f"palette-{depth}{mark}.png", png(coarse, 3, depth, palette=colours, interlaced=interlaced)
        yield f"rgb{mark}.png", png(rgb, 2, 8, interlaced=interlaced)
    yield "grey-16.png", png(ramp, 0, 16)
    yield "grey-16-interlaced.png", png(ramp, 0, 16, interlaced=True)
    yield "grey-alpha.png", png(np.concatenate([grey, alpha], axis=-1), 4, 8)
    yield "grey-alpha-16.png", png(deep[..., :2], 4, 16)
    yield "rgb-16.png", png(deep[..., :3], 2, 16)
    yield "rgb-alpha.png", png(np.concatenate([rgb, alpha], axis=-1), 6, 8)
    yield "rgb-alpha-interlaced.png", png(np.concatenate([rgb, alpha], axis=-1), 6, 8, interlaced=True)
    yield "rgb-alpha-16.png", png(deep, 6, 16)
    yield "grey-transparent.png", png(grey, 0, 8, transparency=struct.pack(">H", int(grey[20, 20, 0])))
    yield "rgb-transparent.png", png(rgb, 2, 8, transparency=struct.pack(">HHH", *(int(v) for v in rgb[20, 20])))
    yield "palette-transparent.png", png(grey, 3, 8, palette=palette, transparency=bytes(range(200)))
    yield "palette-short.png", png(grey >> 4, 3, 8, palette=palette[:9])
    yield "orientation-6.png", png(rgb[:9, :13], 2, 8, exif=orientation_block(6, big_endian=True))
    large = np.asarray(draw(37, 53, 15)).astype(int)
    yield "rgb-37x53.png", png(large, 2, 8)
    yield "rgb-tall.png", png(np.asarray(draw(40, 130, 16)).astype(int), 2, 8)
    yield "one.png", png(rgb[:1, :1], 2, 8)


def webps():
    picture = draw(23, 31, 12)
    clear = picture.copy()
    clear.putalpha(Image.fromarray((np.add.outer(np.arange(31), np.arange(23)) * 5 % 256).astype(np.uint8)))
    yield "lossy.webp", saved(picture, "WEBP", quality=80)
    yield "lossless.webp", saved(picture, "WEBP", lossless=True)
    yield "lossy-alpha.webp", saved(clear, "WEBP", quality=80)
    yield "lossless-alpha.webp", saved(clear, "WEBP", lossless=True)
    yield "exact-alpha.webp", saved(clear, "WEBP", lossless=True, exact=True)
    yield "orientation-5.webp", saved(draw(13, 9, 13), "WEBP", lossless=True, exif=orientation_block(5))
    yield "one.webp", saved(draw(1, 1, 14), "WEBP", lossless=True)


def decoded(data):
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")


class Arrays:
    """One flat file of arrays."""

    def __init__(self, dtype):
        self.dtype, self.parts, self.position = dtype, [], 0

    def add(self, array):
        array = np.ascontiguousarray(array, dtype=self.dtype)
        place = {"offset": self.position, "shape": list(array.shape)}
        self.parts.append(array.tobytes())
        self.position += array.size
        return place

    def write(self, path):
        path.write_bytes(b"".join(self.parts))


def resizes(pixels, pictures):
    filters = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"]
    part_of_it = (5, 7, 30, 41)
    for code, name in enumerate(filters):
        # The last two lie on either side of where Pillow begins to resize the height first.
        sizes = [(17, 91), (50, 11), (37, 20), (9, 53), (30, 39), (30, 38)]
        for size, region in [(size, part_of_it if size == (50, 11) else None) for size in sizes]:
            picture = pictures["rgb-37x53.png"]
            part = picture if region is None else picture.crop(region)
            box = None if region is None else [region[0], region[1], region[2] - region[0], region[3] - region[1]]
            entry = {"file": "rgb-37x53.png", "filter": name, "code": code, "region": box}
            yield entry | pixels.add(part.resize(size, code))


def preparations(planes, pictures):
    small = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    cases = [(name, small) for name in ["one.png", "rgb-1x1.jpg", "rgb-3x200.jpg", "rgb-129x64.jpg", "lossless.webp"]]
    cases.append(("rgb-tall.png", small))
    cases.append(("rgb-200x133.jpg", {"size": 96, "crop_size": 68}))
    cases.append(("rgb-37x53.png", {"size": {"height": 20, "width": 31}, "crop_size": {"height": 23, "width": 18}}))
    cases.append(("rgb-37x53.png", {"size": {"height": 12, "width": 31}, "do_center_crop": False, "resample": 2}))
    cases.append(("rgb-37x53.png", {"do_resize": False, "crop_size": {"height": 60, "width": 20}}))
    cases.append(("one.png", {"do_resize": False, "crop_size": {"height": 4, "width": 3}}))
    cases.append(("rgb-37x53.png", small | {"resample": 0, "do_rescale": False}))
    cases.append(("rgb-37x53.png", small | {"resample": 1, "do_normalize": False}))
    colours = {"rescale_factor": 0.01, "image_mean": [0.5, 0.4, 0.3], "image_std": [0.5, 0.25, 2.0]}
    cases.append(("rgb-37x53.png", small | colours))
    for name, settings in cases:
        processor = CLIPImageProcessorPil(**settings)
        values = processor(pictures[name], return_tensors="np")["pixel_values"][0]
        yield {"file": name, "settings": settings} | planes.add(values)


def main():
    ROOT.mkdir(parents=True, exist_ok=True)
    for old in ROOT.iterdir():
        old.unlink()
    pixels, resized, planes, files, pictures = Arrays("u1"), Arrays("u1"), Arrays("<f4"), [], {}
    for name, data in [*jpegs(), *pngs(), *webps()]:
        (ROOT / name).write_bytes(data)
        pictures[name] = decoded(data)
        # Releases of libjpeg and libwebp may round lossy pictures differently by one level.
        lossy = name.endswith(".jpg") or name.startswith("lossy")
        if name == "rgb-200x133.jpg":
            continue  # large; its planes are compared
        files.append({"file": name, "tolerance": int(lossy)} | pixels.add(np.asarray(pictures[name])))
    index = {
        "schema": 1,
        "versions": {"pillow": PIL.__version__, "transformers": transformers.__version__, "numpy": np.__version__},
        "decoded": files,
        "resized": list(resizes(resized, pictures)),
        "prepared": list(preparations(planes, pictures)),
    }
    pixels.write(ROOT / "decoded.bin")
    resized.write(ROOT / "resized.bin")
    planes.write(ROOT / "planes.bin")
    (ROOT / "index.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
