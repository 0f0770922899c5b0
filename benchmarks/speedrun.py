"""`mnist-kit speedrun` and the record recipe beside it, in turn on one machine.

Each training is a process of its own that uses all cores. One pair of seeds after the other:
ours, the recipe, ours, the recipe, so that what slows the machine slows both. Reading and scaling
of the data and all imports are outside the seconds of both; what each does first, be it building
or compiling, is inside. Prints the table as Markdown, or JSON.

    python benchmarks/speedrun.py mnist.npz --torch-python /path/to/a/venv/bin/python

where that Python has torch and numpy: ``pip install torch==2.13.0 numpy``. On a machine with
other work, set OMP_WAIT_POLICY=PASSIVE: PyTorch's threads wait for each other without rest, and
its seconds would be many times too long. The load is printed; believe a ratio taken at rest.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECIPE = "record recipe (PyTorch)"


def train_ours(data, target, seed):
    """Train once with the kit; return seconds and test accuracy."""
    os.environ["MNIST_KIT_DATA"] = data
    import numpy as np

    from mnist_kit.data import load_mnist
    from mnist_kit.preprocessing import scale
    from mnist_kit.speedrun import train

    (x_train, y_train), (x_test, y_test) = load_mnist()
    model, seconds = train((scale(x_train), y_train), seed, target)
    predicted = model.predict(scale(x_test), batch_size=1000, verbose=0).argmax(axis=1)
    return {"seed": seed, "seconds": seconds, "accuracy": float(np.mean(predicted == y_test))}


def measure(command):
    """Run a command that ends with one line of JSON; add the load that it met."""
    load = os.getloadavg()[0]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{finished.stderr}")
    return json.loads(finished.stdout.splitlines()[-1]) | {"load": load}


def summary(rows, recipe):
    """Return what is said of one contender; ratios are of the paired seconds."""
    seconds = [row["seconds"] for row in rows]
    accuracies = [row["accuracy"] for row in rows]
    return {
        "mean": statistics.mean(accuracies),
        "standard_deviation": statistics.stdev(accuracies) if len(rows) > 1 else 0.0,
        "median_seconds": statistics.median(seconds),
        "least_seconds": min(seconds),
        "most_seconds": max(seconds),
        "times_faster": statistics.median(
            theirs["seconds"] / ours for ours, theirs in zip(seconds, recipe, strict=True)
        ),
    }


def markdown(report):
    """Return the report as a Markdown table."""
    lines = [
        "| training | test accuracy, mean ± deviation | seconds, median (least-most) | faster by |",
        "| --- | --- | --- | --- |",
    ]
    for name, found in report["summary"].items():
        lines.append(
            f"| {name} | {found['mean']:.3%} ± {100 * found['standard_deviation']:.3f} "
            f"| {found['median_seconds']:.2f} ({found['least_seconds']:.2f}-"
            f"{found['most_seconds']:.2f}) | {found['times_faster']:.2f} |"
        )
    return "\n".join([*lines, "", report["machine"]])


def main():
    """Measure, print, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="mnist.npz")
    parser.add_argument("--torch-python", default=sys.executable, help="a Python with torch")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--targets", type=float, nargs="+", default=[99.0, 99.5])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--one", type=int, metavar="SEED", help="only train ours, with this seed")
    options = parser.parse_args()
    if options.one is not None:
        print(json.dumps(train_ours(options.data, options.targets[0], options.one)))
        return

    ours = [sys.executable, __file__, options.data]
    theirs = [options.torch_python, str(HERE / "record_recipe.py"), options.data]
    names = {target: f"speedrun to {target}% (Keras)" for target in options.targets}
    rows = {name: [] for name in (*names.values(), RECIPE)}
    for seed in range(options.seeds):
        for target, name in names.items():
            one = [*ours, "--one", str(seed), "--targets", str(target)]
            rows[name].append(measure(one))
            print(f"{name}: {rows[name][-1]}", file=sys.stderr)
        rows[RECIPE].append(measure([*theirs, "--seeds", str(seed)]))
        print(f"{RECIPE}: {rows[RECIPE][-1]}", file=sys.stderr)
    loads = [row["load"] for each in rows.values() for row in each]
    report = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load before a training "
        f"{min(loads):.1f} to {max(loads):.1f}",
        "summary": {name: summary(each, rows[RECIPE]) for name, each in rows.items()},
        "runs": rows,
    }
    print(json.dumps(report, indent=1) if options.json else markdown(report))


if __name__ == "__main__":
    main()
