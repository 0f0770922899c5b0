"""`python -m mnist_kit` is `mnist-kit`, for those whose scripts folder is not on the path."""

from mnist_kit.cli import main

main()
