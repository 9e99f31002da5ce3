"""How TensorFlow runs in this process: few threads, bit-identical results, no chatter."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path


@cache
def configure() -> None:
    """Set TensorFlow up, before anything else in the process imports it; takes seconds, once.

    One thread a process and one process a core use a machine better than one process with many
    threads, since the networks are small. A GPU's memory is taken as needed, so that processes can
    share it. oneDNN's kernels are used on every processor: TensorFlow leaves them out on those
    without AVX-512, where they halve the time of a convolutional network's epoch.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    gc.disable()  # no garbage is made yet, and to look for it takes a quarter of the import
    with _muted_stderr():
        import tensorflow as tf
    gc.enable()

    tf.get_logger().setLevel("ERROR")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    for device in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(device, True)
    gc.freeze()  # what stays anyhow would be looked through after every trial, for half a second


@contextmanager
def _muted_stderr() -> Iterator[None]:
    """Silence what libraries print while they load, before their log level takes effect."""
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("w", encoding="ascii") as sink:
        os.dup2(sink.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
