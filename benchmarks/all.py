"""The benchmarks that need no study of one's own, one after the other; `make bench` runs this.

    python benchmarks/all.py --data bloodmnist.npz >bench.md

takes about half an hour on two quiet cores; how far it is stands on stderr. Without a
data set, training is left out; so are PyTorch and JAX without their environment (see
peers/compare.py). Exit code 1 if one fails.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
TRAINING = (
    "epoch.py --repeats 3",
    "whole_trial.py --repeats 1",
    "precision.py --each 4",
    "memory.py --trials 100",
    "throughput.py",
)
PEERS = ("peers/compare.py --repeats 3",)
OTHERS = (
    "samplers.py --seeds 50",
    "pruners.py",
    "pruners.py --study blood",
    "winner.py --families 20000",
    "scaling.py --workers 1 8",
    "coordination.py --quick",
    "waits.py --repeats 2",
    "views.py",
    "dashboard.py",
)


def main() -> int:
    """Run all that can be run here."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="npz file; without it, BLOOD_HPO_DATA")
    data = parser.parse_args().data
    if data:
        os.environ["BLOOD_HPO_DATA"] = str(Path(data).absolute())
    chosen = (TRAINING if "BLOOD_HPO_DATA" in os.environ else ()) + OTHERS
    if TRAINING[0] in chosen and Path("build/peers").exists():
        chosen = (*chosen, *PEERS)
    begun = time.perf_counter()
    codes = [run(command, f"{n} of {len(chosen)}") for n, command in enumerate(chosen, start=1)]
    print(f"\nAll {len(chosen)} took {(time.perf_counter() - begun) / 60:.0f} minutes.")
    return max(codes)


def run(command: str, place: str) -> int:
    """Run one and say how long it took."""
    script, *arguments = command.split()
    print(f"{place}: {command}", file=sys.stderr, flush=True)
    print(f"\n## `python benchmarks/{command}`\n", flush=True)
    begun = time.perf_counter()
    code = subprocess.run([sys.executable, str(HERE / script), *arguments], check=False).returncode
    outcome = f"failed with code {code} after" if code else "took"
    print(f"\n{outcome} {time.perf_counter() - begun:.0f} s", flush=True)
    return min(code, 1) if code >= 0 else 1


if __name__ == "__main__":
    sys.exit(main())
