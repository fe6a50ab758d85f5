"""Small crops of the photographs that scikit-image ships."""

from pathlib import Path

SIZE = 24


def write_photos(folder: Path, count: int) -> Path:
    """Fill a folder with different photographs of 24 x 24 pixels, PNG and JPEG by turns.

    :returns: the folder.
    """
    from PIL import Image
    from skimage import data

    folder.mkdir(parents=True, exist_ok=True)
    sources = [Image.fromarray(photo) for photo in (data.astronaut(), data.coffee(), data.chelsea())]
    for number in range(count):
        source = sources[number % len(sources)]
        step = number // len(sources)
        columns = (source.width - SIZE) // 12
        x, y = 12 * (step % columns), 12 * (step // columns)
        suffix = ("png", "jpg")[number % 2]
        source.crop((x, y, x + SIZE, y + SIZE)).save(folder / f"{number:05}.{suffix}")
    return folder
