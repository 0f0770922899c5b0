"""The learning-rate schedules of the course."""


def decay_per_epoch(epoch, *, initial_learning_rate=0.01, decay_rate=0.6):
    """Return ``initial_learning_rate * decay_rate**epoch``, for `LearningRateScheduler`.

    Keras offers a schedule the present rate as second positional argument, so the other two are
    named ones.

    Parameters
    ----------
    epoch : int
        Counted from 0, as Keras counts.
    """
    if epoch < 0:
        raise ValueError(f"epoch is {epoch}; Keras counts from 0")
    return float(initial_learning_rate * decay_rate**epoch)


def staircase(
    initial_learning_rate=0.1, decay_steps=100_000, decay_rate=0.96
) -> "keras.optimizers.schedules.ExponentialDecay":  # noqa: F821
    """Return Keras's exponential decay that falls by `decay_rate` after every `decay_steps` steps.

    It is called with a step, one step being one batch, and given to an optimizer as its
    learning rate.
    """
    import keras

    return keras.optimizers.schedules.ExponentialDecay(
        initial_learning_rate, decay_steps=decay_steps, decay_rate=decay_rate, staircase=True
    )


def one_cycle(peak_learning_rate, steps, warmup=0.25) -> "keras.optimizers.schedules.CosineDecay":  # noqa: F821
    """Return a rate that rises in a line from a tenth of its peak, then falls to 0 as a cosine.

    Parameters
    ----------
    peak_learning_rate : float
    steps : int
        Batches of the whole training.
    warmup : float
        Share of the steps before the peak, in [0, 1).

    Raises
    ------
    ValueError
        If `warmup` leaves no step to fall.
    """
    import keras

    if not 0 <= warmup < 1:
        raise ValueError(f"warmup is {warmup}; expected at least 0 and less than 1")
    rising = int(warmup * steps)
    return keras.optimizers.schedules.CosineDecay(
        peak_learning_rate / 10,
        steps - rising,
        warmup_target=float(peak_learning_rate),
        warmup_steps=rising,
    )
