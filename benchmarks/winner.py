"""How often the confirmation errs, how much it sees, and what its winner costs, by simulation.

Run with `python benchmarks/winner.py`; it is seeded and takes about a minute. Nothing is trained:
scores are normal, and any two folds of a configuration correlate by 1/folds, as Nadeau & Bengio
(2003) take them to. All is in units of the standard deviation of a fold's score.

- error: families of equal candidates of which any is separated from the best mean.
- power: of the candidates that are worse by 1, 2 or 4, how many are separated, where half of the
  candidates are that much worse than the others.
- cost: how far the winner is behind the best candidate on average, where the candidates are equally
  far apart from 0 to 4 and sizes are random: of the best mean, and of the smallest that cannot be
  separated from it.
"""

import argparse

import numpy as np
from numpy.typing import NDArray

from blood_hpo.final.ranking import LEVEL, adjusted_p_values

SHAPES = ((3, 3), (1, 5), (5, 3))
CANDIDATES = (2, 3, 5, 10)
WORSE = (1, 2, 4)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    print(f"{asked.families} simulated families a row, seed {asked.seed}, level {1 - LEVEL:.2f}\n")
    columns = ["splits x folds", "candidates", "error"]
    columns += [f"power {worse} sd" for worse in WORSE]
    columns += ["cost of the best mean", "of the smallest"]
    print(f"| {' | '.join(columns)} |\n|{' ---: |' * len(columns)}")
    for splits, folds in SHAPES:
        for count in CANDIDATES:
            generator = np.random.default_rng([asked.seed, splits, folds, count])
            values = row(generator, asked.families, count, splits, folds)
            text = " | ".join(f"{value:.3f}" for value in values)
            print(f"| {splits} x {folds} | {count} | {text} |", flush=True)


def row(
    generator: np.random.Generator, families: int, count: int, splits: int, folds: int
) -> list[float]:
    """The figures of one shape: error, powers, costs."""
    shape = (families, count, splits * folds)
    equal = separated(noise(generator, shape, folds), folds)
    found = [float(equal.any(axis=1).mean())]
    for worse in WORSE:
        behind = np.where(np.arange(count) < (count + 1) // 2, 0.0, worse)
        scores = noise(generator, shape, folds) - behind[:, None]
        found.append(float(separated(scores, folds)[:, behind > 0].mean()))
    behind = np.linspace(0, max(WORSE), count)
    scores = noise(generator, shape, folds) - behind[:, None]
    sizes = generator.random((families, count))
    found.append(float(behind[scores.mean(axis=2).argmax(axis=1)].mean()))
    near = np.where(separated(scores, folds), np.inf, sizes)
    found.append(float(behind[near.argmin(axis=1)].mean()))
    return found


def noise(
    generator: np.random.Generator, shape: tuple[int, int, int], folds: int
) -> NDArray[np.float64]:
    """Scores of equal candidates, (families, candidates, all folds)."""
    shared = generator.standard_normal((*shape[:2], 1))
    own = generator.standard_normal(shape)
    return np.asarray(np.sqrt(1 / folds) * shared + np.sqrt(1 - 1 / folds) * own)


def separated(scores: NDArray[np.float64], folds: int) -> NDArray[np.bool_]:
    """Which candidates are separated from the best mean, (families, candidates)."""
    best = scores.mean(axis=2).argmax(axis=1)
    behind = scores[np.arange(len(scores)), best][:, None] - scores
    return np.asarray(adjusted_p_values(behind, folds) < 1 - LEVEL)


if __name__ == "__main__":
    main()
