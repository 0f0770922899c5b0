"""The tf.data pipelines of the course: one that trains, one that evaluates."""


def training_pipeline(images, labels, batch_size=128, shuffle_buffer=5000):
    """Cache, shuffle, repeat without end, batch, drop the last partial batch, prefetch.

    Because it never ends, `fit` has to be told ``steps_per_epoch=len(images) // batch_size``.
    ``shuffle=False`` tells it that the mixing is done here. The order is repeatable after
    `set_seeds`.

    Parameters
    ----------
    images : ndarray, shape (n, ...)
    labels : ndarray, shape (n, ...)
    batch_size, shuffle_buffer : int
        In images.

    Returns
    -------
    tf.data.Dataset
        Of pairs (images of shape (batch_size, ...), labels of shape (batch_size, ...)).

    Raises
    ------
    ValueError
        If the numbers of images and labels differ, or do not fill one batch.
    """
    import tensorflow as tf

    return (
        _slices(images, labels, batch_size)
        .cache()
        .shuffle(shuffle_buffer)
        .repeat()
        .batch(batch_size, drop_remainder=True)
        .prefetch(tf.data.AUTOTUNE)
    )


def evaluation_pipeline(images, labels, batch_size=128):
    """Cache, repeat without end, batch; in the order given.

    `evaluate` has to be told ``steps=math.ceil(n / batch_size)``, or it never returns; a batch
    runs over the end of the data into their beginning, so choose a `batch_size` that divides n
    where every image has to count once.

    Parameters and errors are those of `training_pipeline`.
    """
    return _slices(images, labels, batch_size).cache().repeat().batch(batch_size)


def _slices(images, labels, batch_size):
    import tensorflow as tf

    if len(images) != len(labels):
        raise ValueError(f"{len(images):,} images but {len(labels):,} labels")
    if not 1 <= batch_size <= len(images):
        raise ValueError(
            f"batch_size is {batch_size}; expected 1 to {len(images):,}, the number of images"
        )
    return tf.data.Dataset.from_tensor_slices((images, labels))
