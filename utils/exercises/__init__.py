"""The exercises of the chapters, which check themselves: ``from utils import exercises as check``.

Each chapter has a file of its exercises; what checks an attempt is in checks.py, what is said to the reader in en.json.
"""

from utils.exercises.adagrad import AdagradNorm, adagrad_step, steps_to_travel
from utils.exercises.adam import AdaMax, adam_step, uncorrected_peak, wrong_period
from utils.exercises.after_adam import PaperAdamW, decay_for, iterations_needed, lion_step
from utils.exercises.clinic import causes, clip_by_global_norm, next_scale, restarted_step
from utils.exercises.comparison import expected_best, fewest_seeds, mean_and_half_width
from utils.exercises.hyperparameters import gap, log_uniform, parameters
from utils.exercises.momentum import from_averaging, momentum_step, steps_to_stop
from utils.exercises.nesterov import ball, look_ahead_step, nesterov_step
from utils.exercises.rmsprop import CenteredRMSprop, rmsprop_step, steps_until_small
from utils.exercises.schedules import cycle_at, decay_steps_for, warm_cosine
from utils.exercises.sgd import batch_size_for, sgd_step, steps_needed
from utils.exercises.surface import balanced, largest_curvature, steps_to_leave
from utils.exercises.walkthrough import counts, cross_entropy, precision, runs_needed

__all__ = [
    "AdaMax",
    "AdagradNorm",
    "CenteredRMSprop",
    "PaperAdamW",
    "adagrad_step",
    "adam_step",
    "balanced",
    "ball",
    "batch_size_for",
    "causes",
    "clip_by_global_norm",
    "counts",
    "cross_entropy",
    "cycle_at",
    "decay_for",
    "decay_steps_for",
    "expected_best",
    "fewest_seeds",
    "from_averaging",
    "gap",
    "iterations_needed",
    "largest_curvature",
    "lion_step",
    "log_uniform",
    "look_ahead_step",
    "mean_and_half_width",
    "momentum_step",
    "nesterov_step",
    "next_scale",
    "parameters",
    "precision",
    "restarted_step",
    "rmsprop_step",
    "runs_needed",
    "sgd_step",
    "steps_needed",
    "steps_to_leave",
    "steps_to_stop",
    "steps_to_travel",
    "steps_until_small",
    "uncorrected_peak",
    "warm_cosine",
    "wrong_period",
]
