"""The two learning-rate schedules of the course."""


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
