"""JAX: all images in memory, Adam written out, and a whole epoch compiled, or a step of a CNN.

Convolutions within a compiled loop are several times slower on a processor.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from turns import SEED, Epoch, Task, take_turns

RATE, FIRST, SECOND, SMALL = 1e-3, 0.9, 0.999, 1e-7
Weights = list[jax.Array]
State = tuple[Weights, Weights, Weights, jax.Array]


def make(task: Task) -> Epoch:
    """The network and its training loop."""
    images, labels = jnp.asarray(task.images), jnp.asarray(task.labels.astype(np.int32))
    weights = [one for kernel in task.weights() for one in (kernel, np.zeros(kernel.shape[-1]))]
    weights = [jnp.asarray(one, jnp.float32) for one in weights]
    state = (
        weights,
        [jnp.zeros_like(one) for one in weights],
        [jnp.zeros_like(one) for one in weights],
        0,
    )
    rng = np.random.default_rng(SEED)

    def loss(weights: Weights, chosen: jax.Array) -> jax.Array:
        logits = forward(task, weights, images[chosen].astype(jnp.float32) / 255)
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[chosen][:, None], 1).mean()

    def step(state: State, chosen: jax.Array) -> tuple[State, jax.Array]:
        value, slopes = jax.value_and_grad(loss)(state[0], chosen)
        return adam(state, slopes), value

    whole = jax.jit(lambda state, order: lax.scan(step, state, order), donate_argnums=0)
    single = jax.jit(step, donate_argnums=0)

    def epoch() -> float:
        nonlocal state
        order = jnp.asarray(task.order(rng))
        if task.family == "mlp":
            state, losses = whole(state, order)
            return float(losses.mean())
        losses = []
        for chosen in order:
            state, value = single(state, chosen)
            losses.append(value)
        return float(jnp.stack(losses).mean())

    return epoch


def forward(task: Task, weights: Weights, images: jax.Array) -> jax.Array:
    """Logits of a batch."""
    active = {"relu": jax.nn.relu, "tanh": jnp.tanh}[task.network["activation"]]
    kernel, bias, last, last_bias = weights
    if task.family == "mlp":
        hidden = active(images.reshape(len(images), -1) @ kernel + bias)
    else:
        maps = lax.conv_general_dilated(
            images, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        window = (1, 2, 2, 1)
        hidden = lax.reduce_window(active(maps + bias), -jnp.inf, lax.max, window, window, "VALID")
    return hidden.reshape(len(images), -1) @ last + last_bias


def adam(state: State, slopes: Weights) -> State:
    """A step of Adam (Kingma & Ba 2015)."""
    weights, means, squares, steps = state
    steps = steps + 1
    means = [FIRST * mean + (1 - FIRST) * slope for mean, slope in zip(means, slopes, strict=True)]
    squares = [
        SECOND * square + (1 - SECOND) * slope**2
        for square, slope in zip(squares, slopes, strict=True)
    ]
    rate = RATE * jnp.sqrt(1 - SECOND**steps) / (1 - FIRST**steps)
    weights = [
        one - rate * mean / (jnp.sqrt(square) + SMALL)
        for one, mean, square in zip(weights, means, squares, strict=True)
    ]
    return weights, means, squares, steps


if __name__ == "__main__":
    take_turns(make)
