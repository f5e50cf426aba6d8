"""The exercises of the chapters, which check themselves: ``from utils import exercises as check``.

Each chapter has a file of its exercises; what checks an attempt is in checks.py, what is said to the reader in en.json.
"""

from utils.exercises.adagrad import AdagradNorm, adagrad_step, steps_to_travel
from utils.exercises.adam import AdaMax, adam_step, uncorrected_peak, wrong_period
from utils.exercises.comparison import expected_best, fewest_seeds, mean_and_half_width
from utils.exercises.hyperparameters import gap, log_uniform, parameters
from utils.exercises.momentum import from_averaging, momentum_step, steps_to_stop
from utils.exercises.nesterov import ball, look_ahead_step, nesterov_step
from utils.exercises.rmsprop import CenteredRMSprop, rmsprop_step, steps_until_small
from utils.exercises.sgd import batch_size_for, sgd_step, steps_needed
from utils.exercises.surface import balanced, largest_curvature, steps_to_leave
from utils.exercises.walkthrough import counts, cross_entropy, precision, runs_needed

__all__ = [
    "AdaMax",
    "AdagradNorm",
    "CenteredRMSprop",
    "adagrad_step",
    "adam_step",
    "balanced",
    "ball",
    "batch_size_for",
    "counts",
    "cross_entropy",
    "expected_best",
    "fewest_seeds",
    "from_averaging",
    "gap",
    "largest_curvature",
    "log_uniform",
    "look_ahead_step",
    "mean_and_half_width",
    "momentum_step",
    "nesterov_step",
    "parameters",
    "precision",
    "rmsprop_step",
    "runs_needed",
    "sgd_step",
    "steps_needed",
    "steps_to_leave",
    "steps_to_stop",
    "steps_to_travel",
    "steps_until_small",
    "uncorrected_peak",
    "wrong_period",
]
