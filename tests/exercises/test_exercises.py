"""Every exercise: unsolved it says so, the published solution passes, and each kind of mistake gets its own hint."""

import ast
import inspect
import itertools
import json
import re
from functools import cache
from pathlib import Path

import pytest

from utils import exercises
from utils.exercises.apart import call_here
from utils.exercises.checks import Exercise
from utils.language import texts

BOOK = Path(__file__).resolve().parents[2] / "book"
EXERCISES = {name: thing for name, thing in vars(exercises).items() if isinstance(thing, Exercise)}
SEEDS = range(5)
MACHINERY = ("checks.py", "compare.py", "diagnose.py", "rules.py", "worker.py")

#: Wrong attempts, as learners make them: what to replace in the published solution, by what, and the hint that follows.
WRONG = {
    # 01 Hyperparameters
    "parameters": [
        ("(inputs + 1)", "inputs", "no_biases"),
        (" + [10]", "", "no_output_layer"),
        ("layers * [units]", "[units]", "one_hidden_layer"),
        ("layers * [units]", "(layers + 1) * [units]", "one_layer_too_many"),
        ("(inputs + 1) * outputs", "inputs * outputs + 1", "one_bias_a_layer"),
        ("(inputs + 1) * outputs", "inputs * (outputs + 1)", "biases_of_inputs"),
    ],
    "log_uniform": [
        ("low * (high / low) ** u", "low + u * (high - low)", "linear_draw"),
        ("low * (high / low) ** u", "high * (low / high) ** u", "ends_swapped"),
        ("low * (high / low) ** u", "low * (high / low) ** (0.999 * u)", "roughly"),
        ("low * (high / low) ** u", "10 ** (np.log(low) + u * np.log(high / low))", "logarithms_mixed"),
        ("low * (high / low) ** u", "high**u * low**u", "one_share_for_both"),
        ("low * (high / low) ** u", "np.random.uniform(low, high)", "random_answer"),
    ],
    "gap": [
        ("np.var(runs, ddof=1) / len(runs)", "np.var(runs, ddof=1)", "deviation_not_error"),
        (", ddof=1", "", "ddof_missing"),
        ("np.mean(a) - np.mean(b)", "np.mean(b) - np.mean(a)", "other_way_round"),
        ("np.sqrt(sum(squared))", "sum(squared)", "variance_not_rooted"),
        ("(np.mean(a) - np.mean(b))", "abs(np.mean(a) - np.mean(b))", "absolute"),
        ("/ len(runs)", "/ (len(runs) - 1)", "n_minus_one_again"),
        ("/ len(runs)", "/ len(a)", "one_number_of_runs"),
        ("np.mean(a) - np.mean(b)", "np.mean(a) + np.mean(b)", "means_added"),
        ("np.mean(a) - np.mean(b)", "np.median(a) - np.median(b)", "medians_compared"),
        (") / np.sqrt(", ") * np.sqrt(", "multiplied_by_error"),
    ],
    # 02 Stochastic gradient descent
    "sgd_step": [
        ("theta - learning_rate * g", "theta + learning_rate * g", "sign"),
        ("theta - learning_rate * g", "theta - g", "no_learning_rate"),
        ("theta - learning_rate * g", "-learning_rate * g", "step_alone"),
        ("return theta - learning_rate * g", "theta -= learning_rate * g\n    return theta", "mutated"),
        ("theta - learning_rate * g", "theta - learning_rate * g.sum(keepdims=True)", "one_step_for_all"),
        ("theta - learning_rate * g", "(theta - learning_rate * g).mean()", "shape"),
        ("theta - learning_rate * g", "(theta - learning_rate * g).round().astype(int)", "dtype"),
        ("learning_rate * g", "learnin_rate * g", "exception"),
        ("learning_rate * g", "learning_rate * g / 3", "factor_of_step"),
        ("learning_rate * g", "learning_rate * g**2", "another_in_place"),
    ],
    "steps_needed": [
        ("math.ceil", "math.floor", "one_step_off"),
        ("abs(1 - learning_rate * curvature)", "max(1 - learning_rate * curvature, 1e-300)", "wrong"),
        ("if shrink >= 1", "if learning_rate * curvature >= 1", "no_absolute_value"),
        ("    if shrink == 0:\n        return 1\n", "", "exception"),
        ("        return 1\n", "        return 0\n", "no_step_at_one"),
        ("        return 1\n", "        return None\n", "none_at_one"),
        ("return None", "return math.inf", "infinity_for_never"),
        ("return None", "return 0", "zero_for_never"),
        ("shrink >= 1", "shrink > 1", "exception"),
        ("math.log(factor)", "math.log(factor) / 2", "loss_not_distance"),
        ("return None", "return -1", "none_is_asked"),
        ("math.log(factor)", "math.log10(factor)", "two_bases"),
        ("math.log(factor) / -math.log(shrink)", "math.log(factor) / (learning_rate * curvature)", "wrong"),
        ("math.ceil", "", "not_rounded_up"),
    ],
    "batch_size_for": [
        ("n / (1 + (n - 1) * ratio**2)", "1 / ratio**2", "with_replacement"),
        ("n / (1 + (n - 1) * ratio**2)", "1 / ratio", "noise_not_squared"),
        ("math.ceil", "math.floor", "rounded_down"),
        ("math.ceil", "", "not_rounded_up"),
        ("(n - 1)", "n", "n_for_n_minus_one"),
        ("math.ceil", "round", "rounded_to_nearest"),
    ],
    # 03 Momentum
    "momentum_step": [
        ("- learning_rate * g", "+ learning_rate * g", "sign"),
        ("theta + v, v", "theta + learning_rate * v, v", "learning_rate_twice"),
        ("learning_rate * g", "(1 - momentum) * learning_rate * g", "gradient_averaged"),
        ("momentum * v -", "v -", "no_friction"),
        ("theta + v, v", "theta + momentum * v - learning_rate * g, v", "nesterov_instead"),
        ("return theta + v, v", "return theta + v", "parts"),
        ("v = momentum * v - learning_rate * g", "v *= momentum\n    v -= learning_rate * g", "mutated"),
        ("- learning_rate * g", "- learning_rate * (g + 1e-7)", "nearly"),
    ],
    "steps_to_stop": [
        ("math.ceil", "math.floor", "one_step_off"),
        ("math.log(fraction) / math.log(mu)", "1 / (1 - mu)", "effective_step"),
        ("math.log(fraction) / math.log(mu)", "(1 - fraction) / (1 - mu)", "constant_loss_of_speed"),
        ("math.log(mu)", "math.log(mu**2)", "energy_not_velocity"),
        ("math.ceil", "1 + math.ceil", "one_step_off"),
    ],
    "from_averaging": [
        ("eta * (1 - beta), beta", "eta, beta", "no_factor"),
        ("eta * (1 - beta)", "eta / (1 - beta)", "factor_upside_down"),
        ("eta * (1 - beta), beta", "eta * (1 - beta), 1 - beta", "complement"),
        ("eta * (1 - beta), beta", "beta, eta * (1 - beta)", "settings_swapped"),
        ("eta * (1 - beta)", "eta * (1 - beta) + 1e-7", "nearly"),
    ],
    # 04 Nesterov momentum
    "nesterov_step": [
        ("theta + momentum * v - learning_rate * g, v", "theta + v, v", "momentum_instead"),
        ("theta + momentum * v - learning_rate * g, v", "theta + v + momentum * v, v", "three_pushes"),
        ("theta + momentum * v - learning_rate * g, v", "theta + momentum * v, v", "gradient_left_out"),
        ("theta + momentum * v", "theta + v", "momentum_left_out"),
        ("g, v", "g, momentum * v - learning_rate * g", "both_pushes_kept"),
        ("g, v", "g", "parts"),
        ("v = momentum * v - learning_rate * g", "v *= momentum\n    v -= learning_rate * g", "mutated"),
        ("theta + momentum * v", "theta + (momentum + 1e-8) * v", "nearly"),
        ("- learning_rate * g, v", "+ learning_rate * g, v", "second_push_uphill"),
    ],
    "look_ahead_step": [
        ("phi + momentum * v", "phi", "gradient_here"),
        ("phi + momentum * v", "phi + v", "gradient_too_far"),
        ("phi + momentum * v", "phi - momentum * v", "gradient_behind"),
        ("- learning_rate * g", "+ learning_rate * g", "sign"),
        ("phi + momentum * v", "phi + (momentum + 1e-8) * v", "nearly"),
        ("gradient(phi + momentum * v)", "gradient", "exception"),
        ("return phi + v", "return phi + momentum * v - learning_rate * g", "keras_form"),
    ],
    "ball": [
        ("theta - mu * v", "theta + mu * v", "looked_ahead_again"),
        ("theta - mu * v", "theta - v", "whole_velocity"),
        ("theta - mu * v", "theta - (1 - mu) * v", "friction_not_momentum"),
        ("theta - mu * v", "(theta - mu * v)[:1]", "shape"),
    ],
    # 05 Adagrad
    "adagrad_step": [
        ("theta - learning_rate", "theta + learning_rate", "sign"),
        ("np.sqrt(G + epsilon)", "(np.sqrt(G) + epsilon)", "epsilon_outside_root"),
        ("np.sqrt(G + epsilon)", "(G + epsilon)", "root_missing"),
        ("np.sqrt(G + epsilon)", "np.sqrt(G - g**2 + epsilon)", "old_squares_used"),
        ("np.sqrt(G + epsilon)", "np.sqrt(G + 1.01 * epsilon)", "roughly"),
        ("learning_rate * g", "0.1 * g", "ignored"),
        ("learning_rate * g", "g", "no_learning_rate"),
        ("np.sqrt(G + epsilon)", "np.sqrt(G + 1e-7)", "ignored"),
        ("return theta, G", "return theta, G - g**2", "old_squares_returned"),
        ("return theta, G", "return G, theta", "state_first"),
        ("G = G + g**2", "G += g**2", "mutated"),
        ("G = G + g**2", "G = g**2", "squares_not_kept"),
        ("return theta, G", "return theta", "parts"),
        ("G + epsilon)", "G) + epsilon", "parentheses_missing"),
        ("G + g**2", "np.sqrt(G**2 + g**2)", "root_kept"),
    ],
    "steps_to_travel": [
        ("return t", "return t - 1", "counted_from_zero_steps"),
        ("learning_rate / t**0.5", "learning_rate", "steps_do_not_shrink"),
        ("learning_rate / t**0.5", "learning_rate / t**0.51", "wrong"),
        ("t**0.5", "(t + 1) ** 0.5", "first_step_skipped"),
        ("while travelled < distance", "while travelled < distance and t < 150", "capped"),
    ],
    "AdagradNorm": [
        ("np.sum(g**2)", "g**2", "one_for_each"),
        ("self.learning_rate", "0.3", "ignored"),
        ("self.epsilon", "1e-7", "ignored"),
        ("return 0.0", "return 0.1", "starts_above_zero"),
        ("state + np.sum", "np.sum", "squares_not_kept"),
        ("self.epsilon), G", "self.epsilon), state", "squares_not_kept"),
        ("theta - self", "theta + self", "sign"),
        ("self.learning_rate * g", "g", "no_learning_rate"),
        ("np.sqrt(G + self.epsilon)", "(np.sqrt(G) + self.epsilon)", "epsilon_outside_root"),
        ("np.sqrt(G + self.epsilon)", "(G + self.epsilon)", "root_missing"),
        ("np.sum(g**2)", "np.mean(g**2)", "mean_of_squares"),
        ("np.sum(g**2)", "np.sum(g) ** 2", "square_of_sum"),
        ("np.sqrt(G + self.epsilon), G", "np.sqrt(G + self.epsilon)", "not_a_pair"),
    ],
    # 06 RMSprop
    "rmsprop_step": [
        ("theta - learning_rate", "theta + learning_rate", "sign"),
        ("rho * s + (1 - rho) * g**2", "(1 - rho) * s + rho * g**2", "rho_swapped"),
        ("(1 - rho) * g**2", "g**2", "sum_not_average"),
        ("rho * s + (1 - rho) * g**2", "s + g**2", "adagrads_sum"),
        ("learning_rate * g", "0.1 * g", "ignored"),
        ("learning_rate * g", "g", "no_learning_rate"),
        ("rho * s + (1 - rho) * g**2", "0.9 * s + 0.1 * g**2", "ignored"),
        ("np.sqrt(s + epsilon)", "(np.sqrt(s) + epsilon)", "epsilon_outside_root"),
        ("np.sqrt(s + epsilon)", "np.sqrt(s)", "no_epsilon"),
        ("np.sqrt(s + epsilon)", "(s + epsilon)", "root_missing"),
        ("return theta, s", "return theta", "parts"),
        ("(1 - rho) * g**2", "((1 - rho) * g) ** 2", "share_squared"),
    ],
    "steps_until_small": [
        ("math.ceil", "math.floor", "one_step_off"),
        ("math.log(ratio) /", "2 * math.log(ratio) /", "root_not_average"),
        ("math.log(ratio) / -math.log(rho)", "1 / (1 - rho)", "memory_alone"),
    ],
    "CenteredRMSprop": [
        ("s - m**2 + self.epsilon", "s + self.epsilon", "not_centered"),
        ("s - m**2", "s + m**2", "mean_added"),
        ("self.learning_rate", "0.01", "ignored"),
        ("theta - self", "theta + self", "sign"),
        ("self.learning_rate * g", "g", "no_learning_rate"),
        ("self.learning_rate * g", "self.learning_rate * m", "moved_by_mean"),
        ("return theta, (m, s)", "return theta, (s, m)", "averages_swapped"),
        ("return theta, (m, s)", "return theta, state", "state_not_updated"),
        (", (m, s)", ", [m, s]", "passed"),
        ("np.sqrt(s - m**2 + self.epsilon)", "(np.sqrt(s - m**2) + self.epsilon)", "epsilon_outside_root"),
        ("return theta, (m, s)", "return theta, m", "exception"),
        (
            "np.zeros_like(theta), np.zeros_like(theta)",
            "np.zeros_like(theta), np.ones_like(theta)",
            "averages_start_above_zero",
        ),
        ("self.learning_rate * g", "self.learning_rate * (g - m)", "moved_by_deviation"),
    ],
    # 07 Adam
    "adam_step": [
        ("theta - alpha_t", "theta + alpha_t", "sign"),
        ("learning_rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)", "learning_rate", "no_bias_correction"),
        (" * np.sqrt(1 - beta_2**t)", "", "only_m_corrected"),
        (" / (1 - beta_1**t)", "", "only_v_corrected"),
        ("np.sqrt(1 - beta_2**t)", "(1 - beta_2**t)", "correction_not_rooted"),
        ("(np.sqrt(v) + epsilon)", "(np.sqrt(v) + epsilon * np.sqrt(1 - beta_2**t))", "epsilon_of_algorithm_1"),
        ("(np.sqrt(v) + epsilon)", "np.sqrt(v + epsilon)", "epsilon_in_adams_root"),
        ("(np.sqrt(v) + epsilon)", "np.sqrt(v + epsilon * (1 - beta_2**t))", "epsilon_in_root_of_hat"),
        ("(np.sqrt(v) + epsilon)", "(np.sqrt(v) + epsilon + 1e-7)", "roughly"),
        ("(np.sqrt(v) + epsilon)", "(np.sqrt(v) + 1e-7)", "ignored"),
        ("np.sqrt(1 - beta_2**t) / (1 - beta_1**t)", "np.sqrt(1 - beta_2) / (1 - beta_1)", "correction_without_t"),
        ("alpha_t * m", "learning_rate * np.sqrt(1 - beta_2**t) * g", "moved_by_gradient"),
        ("beta_1 * m + (1 - beta_1) * g", "beta_1 * m + g", "moments_are_sums"),
        (" + epsilon)", ")", "no_epsilon"),
        ("t = t + 1", "t = t + 2", "another_in_place"),
        ("t = t + 1", "t = t", "t_never_counted"),
        ("return theta, m, v, t", "return theta, m, v, t - 1", "t_not_counted"),
        ("return theta, m, v, t", "return theta, m / (1 - beta_1**t), v / (1 - beta_2**t), t", "hats_as_state"),
        ("return theta, m, v, t", "return theta", "parts"),
        ("m = beta_1 * m +", "m *= beta_1\n    m = m +", "mutated"),
        ("g**2", "g", "v_not_squared"),
        ("(1 - beta_1**t)", "(1 - beta_1)", "correction_without_t"),
        ("(1 - beta_1**t)", "np.sqrt(1 - beta_1**t)", "both_rooted"),
    ],
    "uncorrected_peak": [
        (".argmax()) + 1", ".argmax())", "counted_from_zero"),
        ("(1 - beta_1**t) / np", "1 / np", "peak_without_m"),
        ("50 / (1 - beta_1)", "101", "too_few_steps"),
        ("50 / (1 - beta_1)", "2001", "too_few_steps"),
        ("50 / (1 - beta_1)", "5001", "too_few_steps"),
        ("50 / (1 - beta_1)", "10_001", "too_few_steps"),
        ("50 / (1 - beta_1)", "100_000", "passed"),
        ("50 / (1 - beta_1)", "2", "first_step_alone"),
        ("int(lengths.argmax()) + 1, lengths.max()", "lengths.max(), int(lengths.argmax()) + 1", "length_and_number"),
        ("np.sqrt(1 - beta_2**t)", "(1 - beta_2**t)", "no_root"),
    ],
    "AdaMax": [
        ("theta - self", "theta + self", "sign"),
        (" / (1 - self.beta_1**t)", "", "no_bias_correction"),
        ("self.beta_1**t", "self.beta_1**state.t", "t_from_zero"),
        ("t = state.t + 1", "t = 1", "t_not_kept"),
        ("(u + self.epsilon)", "(u / (1 - self.beta_2**t) + self.epsilon)", "maximum_corrected"),
        ("self.beta_2 * state.v", "state.v", "maximum_never_fades"),
        ("np.abs(g)", "g", "maximum_of_signed"),
        (
            "np.maximum(self.beta_2 * state.v, np.abs(g))",
            "self.beta_2 * state.v + (1 - self.beta_2) * np.abs(g)",
            "average_not_maximum",
        ),
        ("(u + self.epsilon)", "(np.sqrt(u) + self.epsilon)", "root_of_maximum"),
        ("(u + self.epsilon)", "(u + self.epsilon + 1e-9)", "nearly"),
        ("return theta, AdamState(m, u, t)", "return theta", "not_a_pair"),
        ("theta = theta - ", "theta -= ", "mutated"),
        ("(1 - self.beta_1**t)", "(1 - self.beta_2**t)", "correction_of_beta_2"),
    ],
    "wrong_period": [
        ("74", "73", "period_too_short"),
        ("74", "64", "beta_1_left_out"),
        ("74", "30", "shorter_memory"),
        ("74", "26", "moments_not_settled"),
        ("74", "75", "period_too_long"),
        ("74", "40", "period_far_too_short"),
        ("74", "74.5", "wrong_value"),
    ],
    # 08 Adam on Fashion-MNIST
    "counts": [
        ("2 * parameters + 2", "2 * parameters", "step_count_and_rate"),
        ("2 * parameters + 2", "parameters + 2", "one_moment"),
        ("5 * 480", "480", "steps_of_one_epoch"),
        ("64 * 10 + 10", "64 * 10 + 11", "wrong_values"),
        (
            "counts = (parameters, 2 * parameters + 2, 5 * 480)",
            "counts = (5 * 480, parameters, 2 * parameters + 2)",
            "in_another_order",
        ),
    ],
    "cross_entropy": [
        ("-np.log(of_labels).mean()", "np.log(of_labels).mean()", "minus_missing"),
        ("-np.log(of_labels).mean()", "-np.log(of_labels).sum()", "sum_not_mean"),
        ("-np.log(of_labels).mean()", "-np.log(of_labels.mean())", "mean_before_log"),
        ("-np.log(of_labels).mean()", "-np.log(of_labels + 0.1).mean()", "wrong"),
    ],
    "precision": [
        ("axis=0", "axis=1", "recall"),
        ("confusion.sum(axis=0)", "confusion.sum()", "share_of_all"),
        ("return confusion", "return 1 - confusion", "wrong_share"),
        ("confusion.sum(axis=0)", "confusion.sum(axis=0)[::-1]", "wrong"),
        ("confusion.diagonal() /", "confusion.max(axis=0) /", "largest_of_column"),
        ("return confusion.diagonal()", "return 100 * confusion.diagonal()", "percent"),
    ],
    "runs_needed": [
        ("math.ceil", "math.floor", "rounded_down_runs"),
        ("2 * (1.96", "(1.96", "two_missing"),
        ("(1.96 + 0.84)", "(1.959964 + 0.841621)", "exact_quantiles"),
        ("math.ceil", "", "not_rounded_up"),
        ("(1.96 + 0.84) ** 2", "(1.96**2 + 0.84**2)", "squares_added"),
        ("sigma**2 / delta**2", "sigma / delta", "ratio_not_squared"),
    ],
    # 09 Fair comparisons
    "mean_and_half_width": [
        (", ddof=1", "", "population_deviation"),
        (" / math.sqrt(len(scores))", "", "spread_not_error"),
        ("math.sqrt(len(scores))", "len(scores)", "divided_by_n"),
        ("t * np.std", "2 * t * np.std", "whole_width"),
    ],
    "fewest_seeds": [
        ("10", "6", "no_correction"),
        ("10", "9", "seeds_too_few"),
        ("10", "8", "seeds_too_few"),
        ("10", "11", "seeds_too_many"),
        ("10", "15", "seeds_too_many"),
        ("10", "10.5", "wrong_value"),
    ],
    "expected_best": [
        ("ranks**tries", "ranks", "tries_ignored"),
        ("np.sort(scores)", "scores", "order_ignored"),
        ("np.sort(scores)", "np.sort(scores)[::-1]", "worst_not_best"),
        ("len(scores) + 1", "len(scores)", "exception"),
        ("np.sort(scores)", "np.sort(scores) ** 1.001", "roughly"),
    ],
    # 10 Schedules and warm-up
    "warm_cosine": [
        ("peak * step / warmup_steps", "peak * (step + 1) / warmup_steps", "warm_up_from_one"),
        ("(step - warmup_steps) / (total_steps - warmup_steps)", "step / total_steps", "warm_up_counted_twice"),
        ("(total_steps - warmup_steps)", "total_steps", "cosine_too_long"),
        (
            "min((step - warmup_steps) / (total_steps - warmup_steps), 1)",
            "(step - warmup_steps) / (total_steps - warmup_steps)",
            "rises_again",
        ),
        ("(1 + np.cos(np.pi * share)) / 2", "np.cos(np.pi * share)", "below_zero"),
        ("(1 + np.cos(np.pi * share)) / 2", "np.cos(np.pi * share / 2)", "quarter_cosine"),
        ("(1 + np.cos(np.pi * share)) / 2", "(1 - share)", "line_not_cosine"),
        ("peak * (1 +", "0.4 * (1 +", "ignored"),
        ("    if step < warmup_steps:\n        return peak * step / warmup_steps\n", "", "no_warm_up"),
        ("step < warmup_steps", "step <= warmup_steps", "exception"),
        ("np.pi * share", "2 * np.pi * share", "whole_wave"),
    ],
    "decay_steps_for": [
        ("epochs * math.ceil(examples / batch_size)", "epochs", "counted_in_epochs"),
        ("epochs * math.ceil(examples / batch_size)", "epochs * examples", "counted_in_examples"),
        ("math.ceil(examples / batch_size)", "(examples // batch_size)", "last_batch_left_out"),
        ("math.ceil(examples / batch_size)", "examples / batch_size", "batches_not_whole"),
        ("math.log(decay_rate) / math.log(0.5)", "1", "factor_left_out"),
        ("math.log(decay_rate) / math.log(0.5)", "math.log(0.5) / math.log(decay_rate)", "logarithms_upside_down"),
        ("math.log(0.5)", "math.log(2)", "negated"),
    ],
    "cycle_at": [
        ("while step >= length", "while step > length", "restart_a_step_late"),
        ("length * t_mul", "length", "cycles_of_one_length"),
        ("restarts, step / length", "restarts, step", "steps_not_fraction"),
        ("restarts, step / length", "step / length, restarts", "parts_swapped"),
        ("restarts, step / length", "restarts", "parts"),
        ("restarts + 1", "restarts + 2", "constant_factor"),
        ("restarts, step / length", "restarts, 1 - step / length", "complement_of_it"),
        ("restarts, step / length", "restarts + 1, step / length", "one_too_many"),
    ],
    # 11 After Adam
    "lion_step": [
        ("beta_1 * m + (1 - beta_1) * g", "beta_2 * m + (1 - beta_2) * g", "sign_of_new_average"),
        ("np.sign(beta_1 * m + (1 - beta_1) * g)", "(beta_1 * m + (1 - beta_1) * g)", "lion_without_sign"),
        ("theta, beta_2 * m + (1 - beta_2) * g", "theta, beta_1 * m + (1 - beta_1) * g", "direction_kept"),
        ("learning_rate * weight_decay * theta", "weight_decay * theta", "decay_without_rate"),
        ("theta - learning_rate * weight_decay * theta", "theta", "decay_left_out"),
        ("- learning_rate * direction", "+ learning_rate * direction", "sign"),
        ("learning_rate * direction", "0.1 * direction", "some_parts"),
        ("return theta, beta_2 * m + (1 - beta_2) * g", "return theta, m", "average_not_updated"),
        ("return theta, beta_2", "return beta_2", "parts"),
    ],
    "decay_for": [
        (" / learning_rate", "", "share_per_step"),
        ("1 - share ** (1 / steps)", "(1 - share) / steps", "decay_in_a_straight_line"),
        ("1 - share ** (1 / steps)", "-np.log(share) / steps", "continuous_decay"),
        ("1 - share ** (1 / steps)", "1 - share", "one_step_only"),
        ("1 - share ** (1 / steps)", "share ** (1 / steps)", "factor_not_share"),
        ("1 - share ** (1 / steps)", "1 - share ** (1 / (steps + 1))", "another_in_place"),
    ],
    "iterations_needed": [
        ("return count", "return count + 1", "one_step_off"),
        ("value < goal", "value <= goal", "sometimes_one_too_many"),
        ("1.5 * value - 0.5 * value**3", "1.5 * value", "growth_alone"),
    ],
    "PaperAdamW": [
        ("self.share * theta", "self.learning_rate * self.share * theta", "decay_of_library"),
        ("moved - self.share * theta", "moved", "decay_left_out"),
        ("self.share * theta", "self.share * moved", "decay_after_step"),
        ("moved - self", "moved + self", "decay_upwards"),
        ("self.learning_rate", "0.1", "ignored"),
        ("self.share * theta, state", "self.share * theta", "not_a_pair"),
    ],
    # 12 When training goes wrong
    "clip_by_global_norm": [
        ("min(1, limit / norm)", "limit / norm", "short_ones_lengthened"),
        ("np.sqrt(sum(np.sum(g**2) for g in gradients))", "sum(np.sum(g**2) for g in gradients)", "norm_not_rooted"),
        ("np.sum(g**2) for g", "np.sqrt(np.sum(g**2)) for g", "wrong"),
        ("[factor * g for g", "[np.clip(g, -limit, limit) for g", "values_clipped"),
        ("limit / norm", "1 / norm", "limit_left_out"),
        ("[factor * g for g in gradients]", "factor * gradients[0]", "parts"),
        ("min(1, limit / norm)", "max(1, limit / norm)", "longer_instead"),
    ],
    "next_scale": [
        ("scale / 2, 0", "scale / 2, good_steps", "some_parts"),
        ("good_steps + 1 == growth_steps", "good_steps == growth_steps", "never_doubled"),
        ("scale / 2", "scale", "never_halved"),
        ("scale * 2", "scale", "some_parts"),
        ("scale * 2, 0", "scale * 2, good_steps + 1", "count_kept_on_doubling"),
    ],
    "restarted_step": [
        ("return m_hat / np.sqrt(v_hat)", "return m / np.sqrt(v)", "after_many_steps"),
        ("return m_hat / np.sqrt(v_hat)", "return m_hat / np.sqrt(v)", "correction_of_m_alone"),
        ("return m_hat / np.sqrt(v_hat)", "return m / np.sqrt(v_hat)", "correction_of_v_alone"),
        ("m_hat / np.sqrt(v_hat)", "np.sqrt(v_hat) / m_hat", "upside_down"),
    ],
    "causes": [
        ('"weights"', '"pixels"', "weights_taken_for_pixels"),
        ('"labels"', '"dead"', "labels_taken_for_dead"),
        ('"rate"', '"pixels"', "rate_taken_for_pixels"),
        ('"rate"', '"dead"', "wrong_values"),
        ('("weights", "labels", "rate")', '("labels", "weights", "rate")', "in_another_order"),
    ],
    # 13 The surface of a network
    "largest_curvature": [
        ("v @ product(v)", "np.linalg.norm(product(v))", "size_of_curvature"),
        ("        v = v / np.linalg.norm(v)\n", "", "length_not_divided_out"),
        ("np.linalg.norm(v)", "np.abs(v).max()", "largest_entry"),
        ("range(steps)", "range(steps + 1)", "one_product_more"),
        ("return v @ product(v)", "return product(v)", "shape"),
        (
            "        v = product(v)\n        v = v / np.linalg.norm(v)\n",
            "        v = product(v) / np.linalg.norm(v)\n",
            "normalised_before",
        ),
    ],
    "steps_to_leave": [
        ("math.ceil", "math.floor", "one_step_off"),
        ("1 - learning_rate * curvature", "1 + learning_rate * curvature", "exception"),
        ("return None", "return math.inf", "never_as_infinity"),
        ("return None", "return 0", "never_as_zero"),
        ("abs(offset)", "offset", "exception"),
        ("max(0, ", "max(-1000, ", "already_away"),
        (" or curvature >= 0", "", "exception"),
        ("return None", "return -1", "none_is_asked"),
        ("abs(offset)) /", "abs(offset)) / 2 /", "about_factor"),
    ],
    "balanced": [
        ("np.sqrt(np.linalg.norm(W2, axis=1) / incoming)", "np.linalg.norm(W2, axis=1) / incoming", "ratio_for_factor"),
        (" + b1**2", "", "bias_not_counted"),
        ("c * b1", "b1", "bias_not_scaled"),
        ("W2 / c[:, None]", "W2", "outgoing_stay"),
        ("W2 / c[:, None]", "W2 * c[:, None]", "outgoing_too"),
        ("np.linalg.norm(W2, axis=1) / incoming", "incoming / np.linalg.norm(W2, axis=1)", "other_way_to_balance"),
        (
            "np.sqrt(np.linalg.norm(W2, axis=1) / incoming)",
            "(np.linalg.norm(W2, axis=1) / incoming) ** 0.25",
            "root_twice",
        ),
    ],
}


@cache
def code_cells(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def imports_of(path, source):
    """Of the names that a notebook's imports cell defines, those in a piece of code.

    The cell is the second one of code, after the set-up cell. What else it imports, Keras say, takes seconds.
    """
    used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    namespace = {"__name__": "notebook"}
    for statement in ast.parse(code_cells(path)[1]).body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names = [each for each in statement.names if (each.asname or each.name.split(".")[0]) in used]
            if names:
                statement.names = names
                exec(compile(ast.Module([statement], []), path.name, "exec"), namespace)
    return namespace


def cell_of(name, pages):
    """(page, source) of the cell before ``check.name(name)``."""
    for page in pages:
        cells = code_cells(page)
        for before, cell in itertools.pairwise(cells):
            if f"check.{name}({name})" in cell:
                return page, before
    raise AssertionError(f"no page has a cell check.{name}({name})")


def solution_of(name):
    return cell_of(name, sorted((BOOK / "solutions").glob("*.ipynb")))


def attempt_of(name, page, source):
    namespace = imports_of(page, source)
    exec(compile(source, "<cell>", "exec"), namespace)
    return namespace[name]


every_exercise = pytest.mark.parametrize("name", EXERCISES)


@every_exercise
def test_unsolved_exercise_is_not_tried_yet(name):
    solution, _ = solution_of(name)
    _, stub = cell_of(name, sorted(page for page in BOOK.rglob("*.ipynb") if page.parent != solution.parent))
    attempt = attempt_of(name, solution, stub)
    assert EXERCISES[name].judge(attempt, call=call_here).key == "not_tried"


@every_exercise
def test_published_solution_passes(name):
    attempt = attempt_of(name, *solution_of(name))
    for seed in SEEDS:
        assert EXERCISES[name].judge(attempt, seed, call=call_here).key in ("passed", "passed_value")
    assert EXERCISES[name].judge(attempt).key in ("passed", "passed_value"), "as a reader's own, in another process"


@every_exercise
def test_every_mistake_in_the_table_gets_its_own_hint(name):
    exercise = EXERCISES[name]
    assert len(exercise.mistakes) >= 3
    for key, wrong in exercise._mistakes():
        for seed in SEEDS:
            assert exercise.judge(wrong, seed, call=call_here).key == key


@pytest.mark.parametrize(
    ("name", "old", "new", "key"), [(name, *attempt) for name, attempts in WRONG.items() for attempt in attempts]
)
def test_wrong_attempt_gets_the_right_hint(name, old, new, key):
    page, source = solution_of(name)
    assert source.count(old) == 1, f"{old!r} must stand once in the solution of {name}:\n{source}"
    attempt = attempt_of(name, page, source.replace(old, new))
    for seed in SEEDS[:2]:
        verdict = EXERCISES[name].judge(attempt, seed, call=call_here)
        assert verdict.key == key, verdict.text


def test_every_exercise_has_at_least_three_wrong_attempts():
    assert WRONG.keys() == EXERCISES.keys()
    assert all(len(attempts) >= 3 for attempts in WRONG.values())


def test_stored_solutions_say_passed():
    for path in (BOOK / "solutions").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if "".join(cell["source"]).startswith("check."):
                assert "".join(cell["outputs"][0]["text"]).startswith("Passed"), cell["source"]


@pytest.mark.parametrize("path", sorted(BOOK.glob("[01]*.ipynb")), ids=lambda path: path.stem)
def test_chapter_has_three_exercises_in_code_and_one_on_paper(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert "## Exercises" in text
    assert len([source for source in code_cells(path) if source.startswith("check.")]) >= 3
    assert re.search(r"^\*\*\d+\. .*\*\* \(.*pencil and paper", text, re.MULTILINE)


def test_every_hint_is_used_and_every_key_exists():
    used = {key for exercise in EXERCISES.values() for key in exercise.mistakes}
    room = Path(inspect.getfile(Exercise)).parent
    source = "\n".join((room / name).read_text(encoding="utf-8") for name in MACHINERY)
    keys = texts("exercises").keys()
    assert used <= keys
    assert [key for key in keys - used if not re.search(f"[\"']{key}[\"']", source)] == []
    asked = set(re.findall(r'(?:_verdict|_text|WrongForm|Odd)\(\s*"(\w+)"', source))
    assert asked <= keys | {"dict", "set", "other", "function"}
