"""How long one epoch of the course's network takes: ``utils.training``, its alternatives, and what the machine allows.

Run ``python benchmarks/training.py`` on an idle machine. PyTorch, JAX and optax are measured if they are installed.
Every contender trains the same network (784 → 100 ReLU → 10 softmax) on the same 48,000 images, in mini-batches of 32,
shuffled anew every epoch, with Adam, from weights drawn alike (Glorot's uniform distribution, biases zero), and reports
the epoch's mean loss. Each runs in a process of its own, and the rounds take turns, so that whatever else the machine
does hits all of them alike. The first epoch, in which programs are compiled, is not counted.

``python benchmarks/training.py --profile`` says what a step's time goes into, in ``utils.training`` and in JAX, on one
thread: it takes away one part after the other, and what the epoch gets shorter by is that part's share. On two cores of
an Intel Xeon, three runs of it gave ``utils.training`` 51 to 54 % matrix products, 29 to 32 % Adam's update, 11 to 13 %
fetching the mini-batch and 4 to 7 % for all else, and the whole in 0.94 to 0.98 of JAX's time: XLA makes the same five
products, one gather and three passes over each weight matrix of both. None of these made a step shorter by 2 %: a loop
and arrays written by hand in place of ``map_fn``, the epoch's images gathered at once or as flat rows, hits without the
argmax, no hits at all, the network or Adam's formula in plain TensorFlow. Slices instead of the gather copy all images.
With two threads, on the same machine while it did other work, JAX took 0.9 to 0.96 of our time; YNNPACK switched on in
TensorFlow did not change that, and the cause is not found.
"""

import argparse
import importlib.util
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

BATCH = 32
ADAM = {"learning_rate": 0.001, "epsilon": 1e-7}  # Keras' defaults
FIT, OURS, TORCH, JAX, FLOOR = "model.fit", "utils.training", "PyTorch loop", "JAX + optax, lax.scan", "matrix products"
FIT_BEST = "model.fit, jit_compile, steps_per_execution="
ONE_THREAD, WITH_SGD, ONE_BATCH = ", one thread", ", plain SGD", ", always the same mini-batch"


def keras_model():
    """Return the network of the course's walkthrough."""
    import keras

    return keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(100, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


# Every contender takes images, labels, the number of epochs, and a function to call with the loss at the end of each.


def fit(x, y, epochs, epoch_ends, **options):
    """Train as learners do."""
    import keras

    model = keras_model()
    model.compile(
        keras.optimizers.Adam(**ADAM), loss="sparse_categorical_crossentropy", metrics=["accuracy"], **options
    )
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: epoch_ends(logs["loss"]))
    model.fit(x, y, batch_size=BATCH, epochs=epochs, callbacks=[callback], verbose=0)


def train_ours(data, epochs, on_epoch_end=None):
    """Train with the course's trainer."""
    import keras

    from utils.training import train

    model = keras_model()
    model.compile(loss="sparse_categorical_crossentropy")
    optimizer = keras.optimizers.Adam(**ADAM)
    train(model, optimizer, data, epochs=epochs, batch_size=BATCH, seed=0, on_epoch_end=on_epoch_end)


def ours(x, y, epochs, epoch_ends):
    """Evaluate one validation image only, because the other contenders evaluate nothing."""
    train_ours((x, y, x[:1], y[:1]), epochs, lambda history: epoch_ends(history.loss[-1]))


def torch_loop(x, y, epochs, epoch_ends):
    """Train with the loop of PyTorch's tutorials, the data held in memory, and Adam in its fused, fastest form."""
    import torch

    x, y = torch.from_numpy(x), torch.from_numpy(y.astype(np.int64))
    model = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(784, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10)
    )
    for layer in (model[1], model[3]):
        torch.nn.init.xavier_uniform_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    optimizer = torch.optim.Adam(model.parameters(), lr=ADAM["learning_rate"], eps=ADAM["epsilon"], fused=True)
    loss_of = torch.nn.CrossEntropyLoss()
    for _ in range(epochs):
        total, hits = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for rows in torch.randperm(len(x)).split(BATCH):
            logits = model(x[rows])
            loss = loss_of(logits, y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach()
            hits += (logits.argmax(1) == y[rows]).sum()
        _ = hits.item()
        epoch_ends(total.item() * BATCH / len(x))


def jax_scan(x, y, epochs, epoch_ends):
    """Train with a whole epoch in one compiled ``lax.scan``."""
    import jax
    import jax.numpy as jnp
    import optax

    epoch, weights, state = jax_epoch(optax.adam(ADAM["learning_rate"], eps=ADAM["epsilon"]))
    x, y = jnp.asarray(x.reshape(len(x), -1)), jnp.asarray(y)
    rng = np.random.default_rng(0)
    for _ in range(epochs):
        batches = rng.permutation(len(x)).astype(np.int32).reshape(-1, BATCH)
        (weights, state), measured = epoch(weights, state, x, y, batches)
        jax.block_until_ready((weights, measured))
        epoch_ends(float(measured[0].mean()))


def jax_epoch(optimizer, fetch=True):
    """Return the compiled epoch with an optimizer of optax, the first weights and the optimizer's first state.

    With ``fetch=False`` all mini-batches are the first one.
    """
    import jax
    import jax.numpy as jnp
    import optax

    def loss_and_hits(weights, x, y):
        (w1, b1), (w2, b2) = weights
        logits = jax.nn.relu(x @ w1 + b1) @ w2 + b2
        loss = optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()
        return loss, (logits.argmax(-1) == y).sum()

    def epoch(weights, state, x, y, batches):
        def step(carry, rows):
            weights, state = carry
            batch = (x[rows], y[rows]) if fetch else (x[:BATCH], y[:BATCH])
            measured, gradient = jax.value_and_grad(loss_and_hits, has_aux=True)(weights, *batch)
            updates, state = optimizer.update(gradient, state, weights)
            return (optax.apply_updates(weights, updates), state), measured

        return jax.lax.scan(step, (weights, state), batches)

    draw = jax.nn.initializers.glorot_uniform()
    keys = jax.random.split(jax.random.key(0))
    weights = [(draw(k, s), jnp.zeros(s[1])) for k, s in zip(keys, [(784, 100), (100, 10)], strict=True)]
    return jax.jit(epoch, donate_argnums=(0, 1)), weights, optimizer.init(weights)


def matrix_products(x, y, epochs, epoch_ends):
    """Only multiply matrices, those of the forward and the backward pass, with NumPy's BLAS."""
    x = x.reshape(len(x), -1)
    rng = np.random.default_rng(0)
    w1, w2, h, d = (
        rng.standard_normal(s, dtype=np.float32) for s in [(784, 100), (100, 10), (BATCH, 100), (BATCH, 10)]
    )
    z1, z2, g1, g2, dh = (np.empty_like(a) for a in (h, d, w1, w2, h))
    for _ in range(epochs):
        for start in range(0, len(x), BATCH):
            rows = x[start : start + BATCH]
            np.matmul(rows, w1, out=z1)
            np.matmul(h, w2, out=z2)
            np.matmul(h.T, d, out=g2)
            np.matmul(d, w2.T, out=dh)
            np.matmul(rows.T, h, out=g1)
        epoch_ends(np.nan)


def fit_in_chunks(steps):
    """Return ``model.fit`` with XLA and so many steps between two returns to Python."""
    return lambda *arguments: fit(*arguments, jit_compile=True, steps_per_execution=steps)


def on_one_thread(contender):
    """Return the contender on one thread, as in a sweep, which gives every core a trial of its own."""

    def run(*arguments):
        os.environ |= {"NPROC": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}  # JAX
        import tensorflow as tf
        from threadpoolctl import threadpool_limits

        tf.config.threading.set_intra_op_parallelism_threads(1)
        with threadpool_limits(1):  # NumPy's BLAS
            return contender(*arguments)

    return run


CONTENDERS = {
    FIT: (fit, []),
    **{FIT_BEST + str(steps): (fit_in_chunks(steps), []) for steps in (50, 500, 1500)},
    FIT_BEST + "1500" + ONE_THREAD: (on_one_thread(fit_in_chunks(1500)), []),
    TORCH: (torch_loop, ["torch"]),
    JAX: (jax_scan, ["jax", "optax"]),
    JAX + ONE_THREAD: (on_one_thread(jax_scan), ["jax", "optax"]),
    OURS: (ours, []),
    OURS + ONE_THREAD: (on_one_thread(ours), []),
    FLOOR: (matrix_products, []),
    FLOOR + ONE_THREAD: (on_one_thread(matrix_products), []),
}


def save_data(folder):
    """Write the training images and labels where every contender finds them."""
    from utils.data import load_fashion_mnist

    data = load_fashion_mnist()
    np.save(folder / "x.npy", data.x_train)
    np.save(folder / "y.npy", data.y_train.astype(np.int32))


def load(folder):
    """Return what :func:`save_data` has written."""
    return np.load(folder / "x.npy"), np.load(folder / "y.npy")


def measure(name, folder, epochs):
    """Return wall and CPU seconds of every epoch but the first, and the loss of the last."""
    x, y = load(folder)
    ends = []
    CONTENDERS[name][0](x, y, epochs + 1, lambda loss: ends.append((time.perf_counter(), time.process_time(), loss)))
    wall, cpu, _ = np.diff(ends, axis=0).T
    return {"wall": wall.tolist(), "cpu": cpu.tolist(), "loss": [float(ends[-1][2])]}


PROFILED_STEPS = 150  # of which many short rounds are run: the fastest is the one that nothing disturbed


def profile(x, y, rounds):
    """Return the processor's seconds for an epoch, on one thread, of programs that do less and less."""
    programs = {FLOOR: lambda order: matrix_products(x[: len(order)], y, 1, lambda loss: None)}
    makers = {OURS: our_program, JAX: jax_program}
    for name in [OURS, JAX] if all(map(importlib.util.find_spec, CONTENDERS[JAX][1])) else [OURS]:
        programs[name] = makers[name](x, y)
        programs[name + WITH_SGD] = makers[name](x, y, adam=False)
        programs[name + WITH_SGD + ONE_BATCH] = makers[name](x, y, adam=False, fetch=False)
    rng = np.random.default_rng(0)
    seconds = {name: [] for name in programs}
    for _ in range(rounds + 1):
        order = rng.permutation(len(x))[: PROFILED_STEPS * BATCH].astype(np.int32)
        for name, program in programs.items():
            begin = time.process_time()
            program(order)
            seconds[name].append(time.process_time() - begin)
    return {name: min(taken[1:]) * len(x) / (PROFILED_STEPS * BATCH) for name, taken in seconds.items()}


def our_program(x, y, adam=True, fetch=True):
    """Return the trainer's own program, to be called with the order of the images; without Adam, it has plain SGD."""
    import keras
    import tensorflow as tf

    from utils import training

    model = keras_model()
    model.compile(loss="sparse_categorical_crossentropy")
    optimizer = keras.optimizers.Adam(**ADAM) if adam else keras.optimizers.SGD(ADAM["learning_rate"])
    optimizer.build(model.trainable_variables)
    x, y = tf.raw_ops.Identity(input=x), tf.constant(y)
    same = x[:BATCH], y[:BATCH]
    run = training._over_batches(lambda *rows: training._step(model, optimizer, *(rows if fetch else same)))
    return lambda order: run(x, y, order, BATCH)[0].numpy()


def jax_program(x, y, adam=True, fetch=True):
    """Return the same in JAX."""
    import jax
    import jax.numpy as jnp
    import optax

    optimizer = optax.adam(ADAM["learning_rate"], eps=ADAM["epsilon"]) if adam else optax.sgd(ADAM["learning_rate"])
    epoch, *carried = jax_epoch(optimizer, fetch)
    x, y = jnp.asarray(x.reshape(len(x), -1)), jnp.asarray(y)

    def run(order):
        carried[:], measured = epoch(*carried, x, y, order.reshape(-1, BATCH))
        jax.block_until_ready((carried, measured))

    return run


def profile_report(seconds):
    """Return what the parts of a step take, as a Markdown table."""
    columns = []
    for name in [name for name in (OURS, JAX) if name in seconds]:
        programs = (name, name + WITH_SGD, name + WITH_SGD + ONE_BATCH, FLOOR)
        whole, *less = (seconds[program] for program in programs)
        parts = [*(more - fewer for more, fewer in zip([whole, *less], less, strict=False)), less[-1]]
        columns.append([name, f"{whole:.3f}", *(f"{part / whole:.0%}" for part in reversed(parts))])
    rows = ["one epoch, one thread", "processor's seconds", "matrix products, as NumPy's BLAS does them"]
    rows += ["loss, hits, plain SGD's update, the loop", "fetching the mini-batch", "Adam's update, beyond plain SGD's"]
    lines = [f"| {' | '.join(row)} |" for row in zip(rows, *columns, strict=True)]
    return "\n".join([lines[0], "|---|" + "--:|" * len(columns), *lines[1:]])


def measure_memory():
    """Return the bytes that a process needs at most to load Fashion-MNIST, train and evaluate, everything included."""
    from utils.data import load_fashion_mnist

    train_ours(load_fashion_mnist(), epochs=2)
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def in_subprocess(*arguments):
    """Run this file again and return what it prints as its last line."""
    result = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"{arguments} failed:\n{result.stderr[-3000:]}")
    return json.loads(result.stdout.splitlines()[-1])


def report(measured, absent, memory, loads):
    """Return the table and what belongs to it, as Markdown."""
    best = {name: min(rounds["wall"]) for name, rounds in measured.items()}
    lines = ["| one epoch | best s | median s | CPU s | faster than model.fit | slower than matrix products | loss |"]
    lines += ["|---|--:|--:|--:|--:|--:|--:|"]
    for name, rounds in measured.items():
        loss = np.mean(rounds["loss"])
        lines.append(
            f"| {name} | {best[name]:.3f} | {np.median(rounds['wall']):.3f} | {min(rounds['cpu']):.3f} "
            f"| {best[FIT] / best[name]:.1f} × | {best[name] / best[FLOOR]:.2f} × "
            f"| {'–' if np.isnan(loss) else f'{loss:.3f}'} |"
        )
    packages = ["keras", "tensorflow", "numpy", *[p for name in measured for p in CONTENDERS[name][1]]]
    lines += ["", f"Peak memory of a process that loads the data, trains and evaluates: {memory / 1e9:.2f} GB."]
    lines += [f"Not measured, because not installed: {', '.join(absent)}."] if absent else []
    lines += [
        f"{os.cpu_count()} CPUs, load average before each round {', '.join(f'{load:.1f}' for load in loads)}; "
        f"Python {platform.python_version()}, {', '.join(f'{p} {version(p)}' for p in packages)}."
    ]
    return "\n".join(lines)


def main():
    """Measure all contenders in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender is started (default 3)")
    parser.add_argument("--epochs", type=int, default=3, help="how many epochs it runs each time (default 3)")
    parser.add_argument("--output", type=Path, help="also write the table to this file")
    parser.add_argument("--profile", action="store_true", help="say what a step's time goes into, and nothing else")
    parser.add_argument("--only", nargs=2, help=argparse.SUPPRESS)  # contender and folder: what a subprocess does
    arguments = parser.parse_args()
    if arguments.only:
        name, folder = arguments.only[0], Path(arguments.only[1])
        tasks = {"data": lambda: save_data(folder), "memory": measure_memory}
        tasks["profile"] = lambda: on_one_thread(profile)(*load(folder), 50 * arguments.rounds)
        return print(json.dumps(tasks.get(name, lambda: measure(name, folder, arguments.epochs))()))
    if arguments.profile:
        with tempfile.TemporaryDirectory() as folder:
            in_subprocess("--only", "data", folder)
            seconds = in_subprocess("--only", "profile", folder, "--rounds", str(arguments.rounds))
        return print(profile_report(seconds))

    absent = [n for n, (_, needs) in CONTENDERS.items() if not all(map(importlib.util.find_spec, needs))]
    measured = {name: {"wall": [], "cpu": [], "loss": []} for name in CONTENDERS if name not in absent}
    loads = []
    with tempfile.TemporaryDirectory() as folder:
        in_subprocess("--only", "data", folder)
        for _ in range(arguments.rounds):
            loads.append(os.getloadavg()[0])
            for name, rounds in measured.items():
                result = in_subprocess("--only", name, folder, "--epochs", str(arguments.epochs))
                for quantity, values in result.items():
                    rounds[quantity] += values
        memory = in_subprocess("--only", "memory", folder)
    table = report(measured, absent, memory, loads)
    print(table)
    if arguments.output:
        arguments.output.write_text(table + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
