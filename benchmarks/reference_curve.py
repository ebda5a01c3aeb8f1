"""What frozen features, caption words and their blends reach on the photographs that PACK was made from.

Measured once, apart from this project: EfficientNet-Lite0 features and TF-IDF of caption stems, each with logistic
regression, the tag's own word in the caption, and blends of these. Average precision is over tags with any yes.
"""

from typing import NamedTuple


class Point(NamedTuple):
    """Best average precision and fewest corrections among all reference methods, and what is to be reached."""

    best_average_precision: float
    best_corrections: float
    average_precision: float
    corrections: float


ALL = 2084
POINTS = {
    0: Point(0.444, 1.90, 0.53, 1.85),
    25: Point(0.484, 1.98, 0.54, 1.80),
    50: Point(0.504, 1.92, 0.555, 1.75),
    100: Point(0.532, 1.90, 0.58, 1.70),
    250: Point(0.584, 1.75, 0.62, 1.60),
    500: Point(0.609, 1.68, 0.64, 1.55),
    1000: Point(0.633, 1.60, 0.66, 1.48),
    ALL: Point(0.645, 1.49, 0.68, 1.42),
}
