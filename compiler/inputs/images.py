"""Reads images, and makes what a network is fed of them: resized, cropped, normalized, in its layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError, Place
from ...backends.diagnostics.files import why_no_file

SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
"""What the names of images in a folder end in."""
_FORMATS_READ = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
MOST_PIXELS = 1 << 27
"""The most pixels of an image, 128 mega: a file of a few bytes can claim any number."""
_LOOKED_AT = 4096
"""So many bytes of a file tell whether it lists images."""

Order = Literal["rgb", "bgr", "gray"]
Layout = Literal["nchw", "nhwc"]
ORDERS: tuple[Order, ...] = ("rgb", "bgr", "gray")
LAYOUTS: tuple[Layout, ...] = ("nchw", "nhwc")
_CHANNEL_AXIS: Mapping[Layout, int] = {"nchw": 1, "nhwc": 3}

# Metadata that ONNX defines for models of images (docs/MetadataProps.md of ONNX).
_PIXEL_FORMAT = "Image.BitmapPixelFormat"
_PIXEL_RANGE = "Image.NominalPixelRange"
_FORMATS: Mapping[str, Order] = {
    "Gray8": "gray", "Gray16": "gray", "Rgb8": "rgb", "Rgb16": "rgb", "Bgr8": "bgr", "Bgr16": "bgr",
    "Rgba8": "rgb", "Rgba16": "rgb", "Bgra8": "bgr", "Bgra16": "bgr",
}  # fmt: skip
_RANGES = {
    "NominalRange_0_255": (0.0, 1.0),
    "Normalized_0_1": (0.0, 1 / 255),
    "Normalized_1_1": (127.5, 1 / 127.5),
}
"""The mean and the scale of each range of pixels that metadata name."""


@dataclass(frozen=True)
class Preprocessing:
    """What is done to an image: (pixel − mean) · scale, pixels being 0 to 255.

    `resize` is a height and a width, by bilinear interpolation; `crop` those of the middle that is kept after it; what
    is left out is the network's own size. `mean` and `scale` have a number for all channels, or one for each in the
    order of `order`. `layout` None stands for the one in which the input's channels fit.
    """

    resize: tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    mean: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)
    order: Order = "rgb"
    layout: Layout | None = None

    def __str__(self) -> str:
        parts = [
            f"{what} {values[0]}x{values[1]}"
            for what, values in (("resize", self.resize), ("crop", self.crop))
            if values is not None
        ]
        mean, scale = (
            ", ".join(f"{each:g}" for each in values) for values in (self.mean, self.scale)
        )
        return ", ".join([*parts, f"mean {mean}", f"scale {scale}", self.order])

    def of_metadata(self, metadata: Mapping[str, str]) -> Preprocessing:
        """Return the preprocessing that the metadata of an ONNX model ask for. What they do not say stays."""
        order = _FORMATS.get(metadata.get(_PIXEL_FORMAT, ""), self.order)
        mean, scale = _RANGES.get(metadata.get(_PIXEL_RANGE, ""), (self.mean, self.scale))
        return replace(
            self,
            order=order,
            mean=mean if isinstance(mean, tuple) else (mean,),
            scale=scale if isinstance(scale, tuple) else (scale,),
        )


@dataclass(frozen=True)
class ImageInput:
    """An input of a network that images are fed to, [batch, channels, height, width], or with the channels last;
    numbers are rounded and saturated to a `dtype` of integers.
    """

    name: str
    shape: tuple[int, ...]
    preprocessing: Preprocessing
    layout: Layout
    dtype: np.dtype

    @property
    def size(self) -> tuple[int, int]:
        """The height and the width of what is fed."""
        return self.shape[2:] if self.layout == "nchw" else self.shape[1:3]  # pyright: ignore[reportReturnType]

    def read(self, path: Path) -> np.ndarray:
        """Return an image as the input takes it, [1, ...]. Raises DiagnosticError if it cannot be read."""
        pixels = _pixels(path, self.preprocessing, self.size).astype(np.float32)
        if self.preprocessing.order == "bgr":
            pixels = pixels[:, :, ::-1]
        with np.errstate(over="ignore"):
            mean, scale = (
                np.asarray(each, np.float64).astype(np.float32)
                for each in (self.preprocessing.mean, self.preprocessing.scale)
            )
        with np.errstate(over="ignore", invalid="ignore"):
            values = (pixels - mean) * scale
        if not np.isfinite(values).all():
            raise DiagnosticError(
                "--mean and --scale make infinite numbers of the pixels",
                hint="the network is fed (pixel - mean) * scale, pixels being 0 to 255",
            )
        if self.layout == "nchw":
            values = values.transpose(2, 0, 1)
        if self.dtype.kind in "iu":
            limits = np.iinfo(self.dtype)
            values = np.clip(np.rint(values), limits.min, limits.max)
        return np.ascontiguousarray(values[None].astype(self.dtype))


def image_input(
    name: str, shape: tuple[int, ...], dtype: np.dtype, preprocessing: Preprocessing
) -> ImageInput:
    """Return an input of a shape as one that takes images. Raises DiagnosticError if images do not fit it."""
    channels = 1 if preprocessing.order == "gray" else 3
    layouts: tuple[Layout, ...] = (
        LAYOUTS if preprocessing.layout is None else (preprocessing.layout,)
    )
    fits: list[Layout] = [
        each for each in layouts if len(shape) == 4 and shape[_CHANNEL_AXIS[each]] == channels
    ]
    if not fits:
        raise DiagnosticError(
            f"input '{name}' has shape {list(shape)}, in which no image of {channels} channels fits as "
            f"{' or '.join(layouts)}",
            hint="give arrays in an .npz, or another --channel-order or --layout",
        )
    for what, values in (("mean", preprocessing.mean), ("scale", preprocessing.scale)):
        if len(values) not in (1, channels):
            raise DiagnosticError(
                f"--{what} has {len(values)} numbers for {channels} channels",
                hint=f"give one number, or {channels}",
            )
    resized = preprocessing.resize
    if resized is not None and resized[0] * resized[1] > MOST_PIXELS:
        raise DiagnosticError(
            f"images are to be resized to {resized[0]}x{resized[1]} pixels",
            hint=f"{MOST_PIXELS:,} pixels are the most",
        )
    made = ImageInput(name, shape, preprocessing, fits[0], dtype)
    cut = preprocessing.crop or preprocessing.resize
    if cut is not None and cut != made.size:
        raise DiagnosticError(
            f"images of {cut[0]}x{cut[1]} do not fit input '{name}', which has shape {list(shape)}",
            hint=f"it takes {made.size[0]}x{made.size[1]}",
        )
    return made


def _pixels(path: Path, preprocessing: Preprocessing, size: tuple[int, int]) -> np.ndarray:
    """Return the pixels of an image, u8 [height, width, channels], resized and cropped to `size`."""
    image_class = _pillow()
    place = Place(file=str(path))
    hint = "give an image such as .png or .jpg, or leave it out with --skip-bad"
    try:
        if (reason := why_no_file(path)) is not None:
            raise DiagnosticError(reason, place, hint=hint)
        # Other formats would be handed to programs such as Ghostscript.
        with image_class.open(path, formats=_FORMATS_READ) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"it claims {image.width}x{image.height} pixels")
            picture = _of_8_bits(image).convert("L" if preprocessing.order == "gray" else "RGB")
    except DiagnosticError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # Pillow's readers fail in many ways on damaged files
        text = (str(error).splitlines() or [type(error).__name__])[0]
        raise DiagnosticError(f"not a readable image: {text}", place, hint=hint) from None
    height, width = preprocessing.resize or (
        size if preprocessing.crop is None else picture.size[::-1]
    )
    if (height, width) != picture.size[::-1]:
        picture = picture.resize((width, height), image_class.Resampling.BILINEAR)
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    if top < 0 or left < 0:
        raise DiagnosticError(
            f"the image has {height}x{width} pixels, fewer than the {size[0]}x{size[1]} that are cut out",
            place,
            hint="resize it before with --resize",
        )
    picture = picture.crop((left, top, left + size[1], top + size[0]))
    return np.asarray(picture).reshape(*size, -1)


def _of_8_bits(image):
    """Return an image with pixels of 8 bits: Pillow would saturate those of 16, not scale them."""
    if not image.mode.startswith("I"):
        return image
    pixels = np.clip(np.rint(np.asarray(image).astype(np.float64) / 257), 0, 255)
    return _pillow().fromarray(pixels.astype(np.uint8))


def _pillow():
    """Return the class of Pillow's images. Raises DiagnosticError if Pillow is not installed."""
    try:
        from PIL import Image
    except ImportError:
        raise DiagnosticError(
            "reading images needs Pillow", hint='install it with: pip install "smalti[images]"'
        ) from None
    return Image


def lists_images(path: Path) -> bool:
    """Tell whether the first line of a file that says something is the path of an image."""
    try:
        with path.open("rb") as file:
            start = file.read(_LOOKED_AT).decode("utf-8-sig", "ignore")
    except OSError:
        return False
    lines = (line.strip() for line in start.splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "")
    return first.isprintable() and Path(first).suffix.lower() in SUFFIXES


def image_paths(source: Path) -> list[Path]:
    """Return the images of a folder, by name, or those that a text file lists, a path in each line, relative to its
    folder; blank lines and lines that begin with # are skipped. Raises DiagnosticError if there are none.
    """
    place = Place(file=str(source))
    if source.is_dir():
        paths = sorted(each for each in source.iterdir() if each.suffix.lower() in SUFFIXES)
    else:
        from ...backends.diagnostics.files import read_text

        text = read_text(source).removeprefix("\ufeff")  # some editors put a mark before the text
        lines = [line.strip() for line in text.splitlines()]
        paths = [source.parent / line for line in lines if line and not line.startswith("#")]
    if not paths:
        raise DiagnosticError(
            "there are no images in it", place, hint=f"images end in {', '.join(sorted(SUFFIXES))}"
        )
    return paths
