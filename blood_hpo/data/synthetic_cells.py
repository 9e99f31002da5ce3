"""The drawing of synthetic cells: a nucleus of lobes in coloured cytoplasm, with granules.

Only sums, products, comparisons and square roots of uniform random numbers are used. IEEE 754
rounds these the same everywhere, so the pixels do not depend on the processor; exponentials and
trigonometric functions would.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from blood_hpo.data.facts import IMAGE_SHAPE

Floats = NDArray[np.float64]
Colour = tuple[int, int, int]


class _Styles(NamedTuple):
    """How cells look on average, one row a class; lengths in pixels."""

    cell_radius: Floats
    cytoplasm: Floats
    lobes: Floats
    lobe_radius: Floats
    spread: Floats  # of the lobes about the middle of the cell
    granules: Floats
    granule: Floats


_STYLES: Final = (
    (9.5, (136, 96, 150), 2, 5.0, 2.5, 14, (70, 36, 112)),  # basophil
    (10.0, (166, 114, 148), 2, 4.2, 3.5, 12, (204, 122, 112)),  # eosinophil
    (7.6, (204, 172, 178), 1, 4.8, 1.0, 0, (0, 0, 0)),  # erythroblast
    (10.5, (160, 110, 156), 1, 6.6, 2.5, 7, (118, 66, 148)),  # immature granulocytes
    (8.8, (178, 152, 190), 1, 7.0, 1.0, 0, (0, 0, 0)),  # lymphocyte
    (10.5, (148, 126, 172), 2, 5.0, 3.4, 2, (118, 66, 148)),  # monocyte
    (10.0, (188, 146, 166), 4, 3.0, 4.2, 7, (170, 120, 150)),  # neutrophil
    (4.5, (158, 108, 164), 0, 0.0, 0.0, 4, (110, 60, 140)),  # platelet
)
_BACKGROUND: Final = (230, 200, 187)
_NUCLEUS: Final = (98, 54, 136)
_RED_CELL: Final = (218, 168, 162)
_GRANULE_RADIUS: Final = 1.1
_NEIGHBOURS: Final = 2  # red cells that reach into the picture
_NOISE: Final = 14  # grey levels, uniform, each pixel and channel


class Canvas:
    """One image a label, uint8 (N,), all at once; each step draws one part of every cell."""

    def __init__(self, labels: NDArray[np.uint8], rng: np.random.Generator) -> None:
        self.rng, self.count = rng, len(labels)
        self.style = _Styles(*(np.array(part)[labels] for part in zip(*_STYLES, strict=True)))
        self.image = np.tile(np.array(_BACKGROUND, float), (self.count, *IMAGE_SHAPE[:2], 1))
        self.size = 1 + self._jitter(0.2)
        self.middle = np.array(IMAGE_SHAPE[:2]) / 2 + self._jitter(2.0, 2)

    def draw(self) -> NDArray[np.uint8]:
        """The images, uint8 (N, 28, 28, 3)."""
        for _ in range(_NEIGHBOURS):
            self._disc(self.middle + 17 * self._directions(), 8 + self._jitter(2.0), _RED_CELL)
        self._disc(self.middle, self.style.cell_radius * self.size, self.style.cytoplasm)
        self._nucleus()
        self._granules()
        return self._photograph()

    def _nucleus(self) -> None:
        direction = self._directions()
        for lobe in range(int(np.max(self.style.lobes))):
            offset = direction * (self.style.spread * self.size)[:, None] + self._jitter(1.2, 2)
            radius = self.style.lobe_radius * self.size * (1 + self._jitter(0.25))
            self._disc(self.middle + offset, np.where(lobe < self.style.lobes, radius, 0), _NUCLEUS)
            direction = np.stack([-direction[:, 1], direction[:, 0]], axis=1)  # a quarter turn

    def _granules(self) -> None:
        for granule in range(int(np.max(self.style.granules))):
            reach = self.style.cell_radius * self.size * np.sqrt(self.rng.random(self.count)) * 0.9
            place = self.middle + self._directions() * reach[:, None]
            radius = np.where(granule < self.style.granules, _GRANULE_RADIUS, 0)
            self._disc(place, radius, self.style.granule)

    def _disc(self, middle: Floats, radius: Floats, colour: Floats | Colour) -> None:
        """Paint discs (N,) with soft edges; a radius of 0 paints nothing."""
        some = np.flatnonzero(radius > 0)
        rows = np.arange(IMAGE_SHAPE[0]) + 0.5 - middle[some, :1]
        columns = np.arange(IMAGE_SHAPE[1]) + 0.5 - middle[some, 1:]
        distance = np.sqrt(rows[:, :, None] ** 2 + columns[:, None, :] ** 2)
        cover = np.clip(radius[some, None, None] - distance + 0.5, 0, 1)
        paint = np.broadcast_to(np.asarray(colour, float), (self.count, 3))[some, None, None]
        self.image[some] += (paint - self.image[some]) * cover[..., None]

    def _photograph(self) -> NDArray[np.uint8]:
        """Uneven light and stain, camera noise and 8 bits."""
        light = 1 + self._jitter(0.1)[:, None] + self._jitter(0.05, 3)
        noise = self.rng.integers(-_NOISE, _NOISE + 1, self.image.shape)
        return np.clip(self.image * light[:, None, None] + noise, 0, 255).astype(np.uint8)

    def _directions(self) -> Floats:
        """Unit vectors (N, 2)."""
        vectors = self.rng.random((self.count, 2)) - 0.5
        length = np.sqrt(vectors[:, :1] ** 2 + vectors[:, 1:] ** 2)
        return vectors / np.maximum(length, 1e-9)

    def _jitter(self, scale: float, *shape: int) -> Floats:
        """Triangular random numbers (N, *shape) between -scale and scale."""
        return (
            self.rng.random((self.count, *shape)) - self.rng.random((self.count, *shape))
        ) * scale
