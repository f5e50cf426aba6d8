"""Exercises of chapter 10, schedules: right answers, inputs, mistakes with a hint of their own."""

import math

from utils.exercises.checks import Exercise


def _warm_cosine(step, peak, warmup_steps, total_steps):
    if step < warmup_steps:
        return peak * step / warmup_steps
    fraction = min((step - warmup_steps) / (total_steps - warmup_steps), 1)
    return peak * (1 + math.cos(math.pi * fraction)) / 2


def _warm_cosine_inputs(rng, number):
    """Return steps in the warm-up, in the cosine, beyond both, and where one part ends; and one without a warm-up."""
    peak, warmup_steps = rng.uniform(0.05, 0.5), int(rng.integers(20, 30)) + 20 * (number % 2)
    if number == 5:
        warmup_steps = 0
    total_steps = warmup_steps + int(rng.integers(100, 150)) + 100 * (number % 2)
    in_the_cosine = warmup_steps + int(rng.integers(30, 60))
    step = (
        in_the_cosine,
        int(rng.integers(5, 15)),
        warmup_steps,
        total_steps,
        in_the_cosine + 30,
        0,
        total_steps + int(rng.integers(1, 50)),
        total_steps - 1,
    )[number]
    return step, peak, warmup_steps, total_steps


def _over(fraction, shape=lambda f: (1 + math.cos(math.pi * f)) / 2, line=lambda step, warmup: step / warmup):
    """Return a schedule whose cosine takes another fraction or shape, or whose line begins elsewhere."""

    def schedule(step, peak, warmup_steps, total_steps):
        if step < warmup_steps:
            return peak * line(step, warmup_steps)
        return peak * shape(fraction(step, warmup_steps, total_steps))

    return schedule


def _right_fraction(step, warmup, total):
    return min((step - warmup) / (total - warmup), 1)


warm_cosine = Exercise(
    reference=_warm_cosine,
    inputs=_warm_cosine_inputs,
    mistakes={
        "no_warm_up": [
            lambda step, peak, warmup_steps, total_steps: _warm_cosine(step, peak, 0, total_steps),
            lambda step, peak, *lengths: peak * (1 + math.cos(math.pi * _right_fraction(step, *lengths))) / 2,
        ],
        "warm_up_from_one": _over(_right_fraction, line=lambda step, warmup: (step + 1) / warmup),
        "warm_up_counted_twice": _over(lambda step, warmup, total: min(step / total, 1)),
        "cosine_too_long": _over(lambda step, warmup, total: min((step - warmup) / total, 1)),
        "rises_again": _over(lambda step, warmup, total: (step - warmup) / (total - warmup)),
        "below_zero": _over(_right_fraction, lambda f: math.cos(math.pi * f)),
        "quarter_cosine": _over(_right_fraction, lambda f: math.cos(math.pi * f / 2)),
        "not_halved": _over(_right_fraction, lambda f: 1 + math.cos(math.pi * f)),
        "degrees": _over(_right_fraction, lambda f: (1 + math.cos(180 * f)) / 2),
        "whole_wave": _over(_right_fraction, lambda f: (1 + math.cos(2 * math.pi * f)) / 2),
        "cosine_upside_down": _over(_right_fraction, lambda f: (1 - math.cos(math.pi * f)) / 2),
        "peak_missing_in_line": lambda step, peak, warmup_steps, total_steps: (
            step / warmup_steps if step < warmup_steps else _warm_cosine(step, peak, warmup_steps, total_steps)
        ),
        "line_not_cosine": _over(_right_fraction, lambda f: 1 - f),
    },
)


def _decay_steps_for(examples, batch_size, epochs, decay_rate):
    steps = epochs * math.ceil(examples / batch_size)
    return steps * math.log(decay_rate) / math.log(0.5)


def _decay_steps_inputs(rng, number):
    batch_size, batches = int(2 ** rng.integers(4, 8)), int(rng.integers(50, 200)) + 200 * (number % 2)
    rest = 0 if number in (2, 6) else int(rng.integers(1, batch_size // 2))  # the last mini-batch may be full
    return (
        batches * batch_size + rest,
        batch_size + number % 2,
        int(rng.integers(2, 6)) + 4 * (number % 2),
        rng.uniform(0.7, 0.99),
    )


decay_steps_for = Exercise(
    reference=_decay_steps_for,
    inputs=_decay_steps_inputs,
    mistakes={
        "counted_in_epochs": lambda examples, batch_size, epochs, decay_rate: (
            epochs * math.log(decay_rate) / math.log(0.5)
        ),
        "counted_in_examples": lambda examples, batch_size, epochs, decay_rate: (
            examples * epochs * math.log(decay_rate) / math.log(0.5)
        ),
        "last_batch_left_out": lambda examples, batch_size, epochs, decay_rate: _decay_steps_for(
            examples // batch_size, 1, epochs, decay_rate
        ),
        "batches_not_whole": lambda examples, batch_size, epochs, decay_rate: _decay_steps_for(
            1, 1, examples / batch_size * epochs, decay_rate
        ),
        "factor_left_out": lambda examples, batch_size, epochs, decay_rate: epochs * math.ceil(examples / batch_size),
        "two_bases": [
            lambda *given: _decay_steps_for(*given) / math.log(10),
            lambda *given: _decay_steps_for(*given) * math.log(10),
        ],
        "need_not_be_whole": [
            lambda *given: math.ceil(_decay_steps_for(*given)),
            lambda *given: math.floor(_decay_steps_for(*given)),
            lambda *given: round(_decay_steps_for(*given)),
        ],
        "rounded_once": lambda examples, batch_size, epochs, decay_rate: _decay_steps_for(
            math.ceil(epochs * examples / batch_size), 1, 1, decay_rate
        ),
        "batch_too_many": lambda examples, batch_size, epochs, decay_rate: _decay_steps_for(
            examples // batch_size + 1, 1, epochs, decay_rate
        ),
        "halved_in_a_straight_line": [
            lambda examples, batch_size, epochs, decay_rate: (
                epochs * math.ceil(examples / batch_size) * (1 - decay_rate) / 0.5
            ),
        ],
        "logarithms_upside_down": lambda examples, batch_size, epochs, decay_rate: (
            epochs * math.ceil(examples / batch_size) * math.log(0.5) / math.log(decay_rate)
        ),
    },
)


def _cycle_at(step, first, t_mul):
    length, restarts = first, 0
    while step >= length:
        step, length, restarts = step - length, length * t_mul, restarts + 1
    return restarts, step / length


def _by_logarithm(step, first, t_mul):
    """Return what Keras' CosineDecayRestarts computes, in double precision."""
    done = step / first
    if t_mul == 1:
        return math.floor(done), done - math.floor(done)
    restarts = math.floor(math.log(1 - done * (1 - t_mul)) / math.log(t_mul))
    return restarts, (done - (1 - t_mul**restarts) / (1 - t_mul)) / t_mul**restarts


def _cycle_inputs(rng, number):
    """Return steps within cycles, the first step of some, and the one that a logarithm puts into the cycle before."""
    first, t_mul = int(rng.integers(5, 40)), int(rng.integers(2, 5))
    cycle = (
        first * (1 + t_mul) + int(rng.integers(1, first)),  # in the third
        int(rng.integers(1, 5)),
        first,
        first * (1 + t_mul),
    )
    if number == 4:
        return 1210, 10, 3
    if number in (5, 7):
        return 4 * first + (number == 7) * int(rng.integers(1, first)), first, 1
    if number == 6:
        return 0, first, t_mul
    return cycle[number], first + (number == 1) * 40, t_mul + (number == 1) * 3


def _late(step, first, t_mul):
    length, restarts = first, 0
    while step > length:
        step, length, restarts = step - length, length * t_mul, restarts + 1
    return restarts, step / length


def _from_the_start(step, first, t_mul):
    restarts = _cycle_at(step, first, t_mul)[0]
    return restarts, step / (first * t_mul**restarts)


def _left_in_steps(step, first, t_mul):
    restarts, fraction = _cycle_at(step, first, t_mul)
    return restarts, round(fraction * first * t_mul**restarts)


cycle_at = Exercise(
    reference=_cycle_at,
    inputs=_cycle_inputs,
    counts=True,
    mistakes={
        "restart_a_step_late": _late,
        "restart_by_logarithm": _by_logarithm,
        "cycles_of_one_length": lambda step, first, t_mul: _cycle_at(step, first, 1),
        "fraction_of_all_steps": _from_the_start,
        "steps_not_fraction": _left_in_steps,
        "start_not_subtracted": lambda step, first, t_mul: (
            (found := _cycle_at(step, first, t_mul)[0]),
            step / (first * sum(t_mul**cycle for cycle in range(found + 1))),
        ),
        "divided_by_first": lambda step, first, t_mul: (
            (found := _cycle_at(step, first, t_mul))[0],
            found[1] * t_mul ** found[0],
        ),
    },
)
