"""The line of reasons for each answer about a training, with the numbers."""

from counterpoint.measures.curve_signs import GAP, Curves, Signs, share_of_other_rows
from counterpoint.metrics.rows import Floats

LEAST_EPOCHS = 3
"""With fewer epochs, only a training that has not begun is named."""


def _range(values: Floats) -> str:
    return f"{values.min():.3f} to {values.max():.3f}"


def _from_to(values: Floats) -> str:
    return f"from {values[0]:.2f} to {values[-1]:.2f}"


def _chance(signs: Signs) -> str:
    return f"chance agreement is {signs.chance[0]:.3f} to {signs.chance[1]:.3f}"


def _of_other_rows(curves: Curves, signs: Signs) -> str:
    share = share_of_other_rows(curves, signs)
    return (
        f"In the first epoch the network was right on {curves.train_accuracy[0]:.3f} of training rows that it had not "
        f"seen. Validation accuracy stayed at {_range(curves.valid_accuracy)} ({_chance(signs)}), and its loss went "
        f"{_from_to(curves.valid_loss)} (guessing: {signs.entropy:.2f}). So labels, texts or images of about "
        f"{100 * share:.0f} % of the validation rows are not their own, or are read differently. "
        "This holds if training is recorded during the epoch, as in Keras, and not measured after it."
    )


def _memorised(curves: Curves, signs: Signs) -> str:
    lowest = int(curves.valid_loss.argmin())
    return (
        f"Training accuracy reached {curves.train_accuracy.max():.3f}, and validation accuracy is "
        f"{signs.last.valid_accuracy[0]:.3f} at the end. The validation loss was lowest in epoch "
        f"{curves.epochs[lowest]:.0f} ({curves.valid_loss[lowest]:.2f}) and is {curves.valid_loss[-1]:.2f} now."
    )


def _not_trained(_: Curves, signs: Signs) -> str:
    return (
        f"The training loss is {signs.last.train_loss[0]:.3f} at the end, and that of guessing the class shares is "
        f"{signs.entropy:.3f}. Training accuracy is {signs.last.train_accuracy[0]:.3f}, and the largest class has "
        f"{signs.guessed:.3f} of the rows."
    )


def _unfinished(curves: Curves, _: Signs) -> str:
    return (
        f"The validation loss still falls: it went {_from_to(curves.valid_loss)} in {len(curves.epochs)} epochs, and "
        f"validation accuracy {_from_to(curves.valid_accuracy)}. Train longer."
    )


def _healthy(_: Curves, signs: Signs) -> str:
    return (
        f"Validation accuracy is {signs.last.valid_accuracy[0]:.3f} at the end, training accuracy "
        f"{signs.last.train_accuracy[0]:.3f} ({_chance(signs)}; the largest class has {signs.guessed:.3f})."
    )


def _open(curves: Curves, signs: Signs) -> str:
    if len(curves.epochs) < LEAST_EPOCHS:
        return f"The history has {len(curves.epochs)} epochs. At least {LEAST_EPOCHS} are needed."
    found = (
        f"Training accuracy went {_from_to(curves.train_accuracy)}, and validation accuracy was "
        f"{_range(curves.valid_accuracy)} ({_chance(signs)}), at a loss that went {_from_to(curves.valid_loss)}."
    )
    if not signs.is_whole:
        return f"{found} The history lacks the first epoch or others, and the first one decides."
    if signs.last.train_accuracy[0] - signs.last.valid_accuracy[0] < GAP:
        return f"{found} Neither learning nor memorising is shown."
    return (
        f"{found} Either the inputs do not predict the label and the network memorised, or validation rows are not "
        "their own. Hold out some training rows: if the network is right on them, the validation rows are at fault."
    )


REASONS = {
    "evaluated_on_other_rows": _of_other_rows,
    "memorised": _memorised,
    "not_trained": _not_trained,
    "unfinished": _unfinished,
    "healthy": _healthy,
    "cannot_tell": _open,
}
