"""Images as a network is fed them: sizes, channels, layout, normalization, and files that cannot be read."""

import numpy as np
import pytest
from PIL import Image
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.compiler.inputs.images import Preprocessing, image_input, image_paths

F32 = np.dtype(np.float32)
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(PIXELS).save(path)
    return path


def fed(path, shape, dtype=np.float32, **fields):
    return image_input("x", shape, np.dtype(dtype), Preprocessing(**fields)).read(path)


def test_pixels_as_they_are(picture):
    assert np.array_equal(fed(picture, (1, 3, 6, 8)), PIXELS.transpose(2, 0, 1)[None])
    assert np.array_equal(fed(picture, (1, 6, 8, 3)), PIXELS[None])
    assert fed(picture, (1, 3, 6, 8)).dtype == np.float32


def test_order_mean_and_scale_are_per_channel(picture):
    found = fed(picture, (2, 3, 6, 8), order="bgr", mean=(1, 2, 3), scale=(0.5, 1, 2))
    expected = (PIXELS[:, :, ::-1].astype(np.float32) - [1, 2, 3]) * [0.5, 1, 2]
    assert np.array_equal(found, expected.transpose(2, 0, 1)[None].astype(np.float32))


def test_gray(picture):
    found = fed(picture, (1, 1, 6, 8), order="gray")
    weights = PIXELS.astype(np.float64) @ [0.299, 0.587, 0.114]  # ITU-R 601-2, as Pillow says
    assert np.abs(found[0, 0] - weights).max() <= 1


def test_resize_and_crop_keep_the_middle(picture):
    assert np.array_equal(fed(picture, (1, 4, 4, 3), crop=(4, 4)), PIXELS[None, 1:5, 2:6])
    found = fed(picture, (1, 4, 4, 3), resize=(12, 16), crop=(4, 4))
    large = np.asarray(Image.fromarray(PIXELS).resize((16, 12), Image.Resampling.BILINEAR))
    assert np.array_equal(found[0], large[4:8, 6:10])
    assert fed(picture, (1, 3, 5, 5)).shape == (1, 3, 5, 5)  # resized to the input's size


def test_a_layout_that_both_fit_is_chosen(picture):
    assert image_input("x", (1, 3, 5, 3), F32, Preprocessing()).size == (5, 3)
    assert image_input("x", (1, 3, 5, 3), F32, Preprocessing(layout="nhwc")).size == (3, 5)


def test_metadata_of_onnx():
    known = {"Image.BitmapPixelFormat": "Bgr8", "Image.NominalPixelRange": "Normalized_1_1"}
    found = Preprocessing().of_metadata(known)
    assert found == Preprocessing(order="bgr", mean=(127.5,), scale=(1 / 127.5,))
    assert str(found) == "mean 127.5, scale 0.00784314, bgr"
    assert Preprocessing().of_metadata({"Image.NominalPixelRange": "?"}) == Preprocessing()


@pytest.mark.parametrize(
    ("shape", "fields", "words"),
    [
        ((1, 4, 6, 8), {}, "no image of 3 channels fits as nchw or nhwc"),
        ((1, 3, 6, 8), {"order": "gray"}, "no image of 1 channels fits"),
        ((1, 3, 6, 8), {"layout": "nhwc"}, "fits as nhwc"),
        ((3, 6, 8), {}, "no image"),
        ((1, 3, 6, 8), {"mean": (1, 2)}, "--mean has 2 numbers for 3 channels"),
        ((1, 3, 6, 8), {"crop": (5, 5)}, "images of 5x5 do not fit"),
        ((1, 3, 6, 8), {"resize": (6, 9)}, "images of 6x9 do not fit"),
        ((1, 3, 9, 9), {"crop": (9, 9)}, "fewer than the 9x9"),
        ((1, 3, 6, 8), {"resize": (10**20, 8), "crop": (6, 8)}, "pixels are the most"),
    ],
)
def test_what_does_not_fit(picture, shape, fields, words):
    with pytest.raises(DiagnosticError) as caught:
        fed(picture, shape, **fields)
    assert words in str(caught.value)


def test_bad_files(tmp_path, monkeypatch):
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n no image")
    for name in ("b.png", "none.png"):
        with pytest.raises(DiagnosticError, match=name):
            fed(tmp_path / name, (1, 3, 6, 8))
    monkeypatch.setattr("smalti.compiler.inputs.images.MOST_PIXELS", 10)
    Image.fromarray(PIXELS).save(tmp_path / "c.png")
    with pytest.raises(DiagnosticError, match="claims 8x6 pixels"):
        fed(tmp_path / "c.png", (1, 3, 6, 8))


def test_integers_are_rounded_and_saturated(picture):
    assert np.array_equal(fed(picture, (1, 6, 8, 3), np.uint8), PIXELS[None])
    found = fed(picture, (1, 6, 8, 3), np.int8, mean=(127.6,), scale=(2,))
    expected = np.clip(np.rint((PIXELS.astype(np.float32) - np.float32(127.6)) * 2), -128, 127)
    assert found.dtype == np.int8 and np.array_equal(found[0], expected)


def test_pixels_of_16_bits_are_scaled(tmp_path):
    values = np.array([[0, 257, 1000], [30000, 65535, 128 * 257]], np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    found = fed(tmp_path / "a.png", (1, 1, 2, 3), order="gray")
    assert np.array_equal(found[0, 0], np.rint(values / 257))


def test_other_formats_are_not_tried(tmp_path):
    (tmp_path / "a.png").write_text(
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 6 8\n%%EndComments\n"
    )
    with pytest.raises(DiagnosticError, match="not a readable image: cannot identify"):
        fed(tmp_path / "a.png", (1, 3, 6, 8))


def test_folders_and_lists(tmp_path):
    for name in ("b.PNG", "a.jpg", "notes.md"):
        (tmp_path / name).touch()
    assert [each.name for each in image_paths(tmp_path)] == ["a.jpg", "b.PNG"]
    (tmp_path / "list.txt").write_text("\ufeff# of a person\nb.PNG\n\n  sub/c.png  \n")
    paths = image_paths(tmp_path / "list.txt")
    assert paths == [tmp_path / "b.PNG", tmp_path / "sub/c.png"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DiagnosticError, match="no images in it"):
        image_paths(tmp_path / "empty")
