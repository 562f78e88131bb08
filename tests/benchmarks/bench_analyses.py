"""What the analyses of a folder cost: 1,000 generations of 12 words at 64x64 on one core; memory at 10,000.

``python tests/benchmarks/bench_analyses.py [--images 1000] [--times 10]``. CPU time of one process, with files,
records, page and figure; "measuring" is what comes between reading an image and adding it up. Beside it a plain loop
over torch tensors, pair by pair, as in the authors' notebook, on the same files in the same run. Peak memory is that of
a process of its own for each number of images. Files of the larger folder are links to the smaller's.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIDE, TAU = 64, 0.4
KINDS = ("syntax", "intensity", "cohyponyms", "objects")


def main() -> None:
    options = _options()
    if options.worker:
        sys.stdout.write(json.dumps(_work(*options.worker)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch)
        _fill(top / "small", options.images)
        _link(top / "small", top / "large", options.times)
        total, reference = _times(top)
        _memory(top, options)
    sys.stdout.write(
        f"all analyses {total:.1f} s (target: under 60), the plain loop of two of them {reference:.1f} s\n"
    )


def _times(top: Path) -> tuple[float, float]:
    """CPU seconds of all analyses, and of the plain loop, each in a process of its own; printed one by one."""
    total, found = 0.0, {}
    for kind in KINDS:
        found[kind] = _run(kind, top / "small", top)
        total += found[kind]["seconds"]
        sys.stdout.write(_line(kind, found[kind]))
    plain = _run("reference", top / "small", top)
    ratio = plain["measuring"] / (found["syntax"]["measuring"] + found["intensity"]["measuring"])
    sys.stdout.write(_line("torch loop", plain))
    sys.stdout.write(f"syntax and intensity measure {ratio:.1f} times as fast as the loop that does both\n")
    gap = max(abs(plain["means"][name] - found["syntax"]["means"][name]) for name in plain["means"])
    sys.stdout.write(f"largest difference between the two in any relation's mIoU, mIoD, mIoH: {gap:.1e}\n")
    return total, plain["seconds"]


def _line(name: str, found: dict) -> str:
    spent = f"{found['seconds']:6.2f} s, of which measuring {found['measuring']:5.2f} s"
    return f"{name:12} {spent}, for {found['images']:,} images\n"


def _memory(top: Path, options: argparse.Namespace) -> None:
    for kind in KINDS:
        small, large = (_run(kind, top / name, top)["peak"] for name in ("small", "large"))
        sys.stdout.write(
            f"{kind:12} peak {small:6.1f} MB at {options.images:,} images, {large:6.1f} MB at "
            f"{options.images * options.times:,}: {large - small:+.1f} MB\n"
        )


def _run(kind: str, folder: Path, top: Path) -> dict:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--worker", kind, str(folder), str(top)]
    return json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)


def _work(kind: str, folder: str, top: str) -> dict:
    if kind == "reference":
        return _reference(Path(folder))
    from attribution.generations import Reader
    from attribution.report.page import write
    from attribution.report.run import analyse

    job = _job(kind, Path(top))
    measuring = _timed(job)
    with tempfile.TemporaryDirectory() as out:
        start = time.process_time()
        report, tally = analyse(job, Reader(folder), Path(out), progress=False)
        write(report, tally, Path(out))
        seconds = time.process_time() - start
    means = {}
    if kind == "syntax":
        rows = [row for row in job.total.rows(50) if row.relation in RELATIONS]
        means = {f"{row.relation} {name}": getattr(row, name).value for row in rows for name in ("iou", "iod", "ioh")}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "seconds": seconds, "measuring": measuring[0], "peak": peak, "images": tally.measured, "means": means
    }  # fmt: skip


def _timed(job) -> list[float]:
    """CPU seconds spent in the job's ``measure``, in a list of one number that grows."""
    spent, measure = [0.0], job.measure

    def timed(generation):
        start = time.process_time()
        try:
            return measure(generation)
        finally:
            spent[0] += time.process_time() - start

    job.measure = timed
    return spent


def _job(kind: str, top: Path):
    from attribution.ontology import COCO
    from attribution.report.cohyponyms import CohyponymsJob
    from attribution.report.intensity import IntensityJob
    from attribution.report.objects import ObjectsJob
    from attribution.report.syntax import SyntaxJob
    from attribution.segmentation.base import WholeImage

    jobs = {"syntax": SyntaxJob, "intensity": IntensityJob, "cohyponyms": lambda: CohyponymsJob(COCO)}
    return jobs[kind]() if kind in jobs else ObjectsJob(WholeImage())


def _reference(folder: Path) -> dict:
    """Pair by pair on torch tensors: read, threshold, multiply, sum."""
    import torch

    from attribution.generations import Reader, names

    torch.set_num_threads(1)
    reader, values, areas, images, reading = Reader(folder), {}, {}, 0, 0.0
    start = time.process_time()
    for name in names(folder):
        before = time.process_time()
        generation = reader.read(name)
        reading += time.process_time() - before
        images += 1
        words = generation.prompt.words
        masks = []
        for word in words:
            heat = torch.from_numpy(generation.maps.word(word.start, word.end).values)
            masks.append((heat >= TAU * heat.max()).float())
        for word, mask in zip(words, masks, strict=True):
            areas.setdefault(word.tag, []).append((mask.sum() / mask.numel()).item())
        for i in range(len(words)):
            for j in range(len(words)):
                if i == j:
                    continue
                both = _shared(masks[i], masks[j])
                if words[j].head == i:
                    values.setdefault(words[j].relation, []).append(both)
                else:
                    values.setdefault("unrelated", []).append(both)
    seconds = time.process_time() - start
    means = {
        f"{name} {which}": float(np.mean([row[at] for row in values[name]]))
        for name in RELATIONS
        for at, which in enumerate(("iou", "iod", "ioh"))
    }
    return {"seconds": seconds, "measuring": seconds - reading, "images": images, "means": means}


def _shared(head, dependent) -> tuple[float, float, float]:
    """IoU, IoD and IoH of two masks."""
    both = (head * dependent).sum()
    union = head.sum() + dependent.sum() - both
    return (both / (union + 1e-8)).item(), (both / (dependent.sum() + 1e-8)).item(), (both / (head.sum() + 1e-8)).item()


WORDS = (
    ("cat", "NOUN", 0, "root"), ("and", "CCONJ", 3, "cc"), ("a", "DET", 3, "det"), ("dog", "NOUN", 0, "appos"),
    ("sit", "VERB", 0, "acl"), ("on", "ADP", 8, "case"), ("the", "DET", 8, "det"), ("red", "ADJ", 8, "amod"),
    ("couch", "NOUN", 4, "nsubj"), ("near", "ADP", 10, "case"), ("trees", "NOUN", 4, "obj"), (".", "PUNCT", 0, "punct"),
)  # fmt: skip
RELATIONS = ("amod", "case", "det", "nsubj", "obj", "acl", "punct", "cc", "appos")


def _fill(folder: Path, images: int) -> None:
    """Images of twelve blobs; every second prompt is one of two nouns, for the cohyponyms."""
    from attribution.ontology import COCO, noun_pairs

    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.attribution.generations import prompt, store

    rng = np.random.default_rng(0)
    pairs = noun_pairs(COCO, 2 * (images // 2), 0)
    for number in range(images):
        rows = [("run" + "abcdefghij"[number % 10], "VERB", 0, "root"), *WORDS[1:]]
        if number % 2:
            rows = [*WORDS]
        image = rng.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
        parsed = prompt(*((f"{text}{number % 97}" if text == "couch" else text, *rest) for text, *rest in rows))
        store(folder / f"{number:05}", parsed, _blobs(rng, len(rows)), image=image)
        if number % 4 == 0:
            _two_nouns(folder / f"{number:05}p", pairs[number % len(pairs)], rng)


def _two_nouns(folder: Path, pair, rng: np.random.Generator) -> None:
    from attribution.records import Prompt, Word
    from tests.attribution.generations import store

    words = tuple(Word(noun, start, end, "NOUN", noun, 0, "dep") for noun, start, end in pair.nouns)
    store(folder, Prompt(pair.text, words), _blobs(rng, 2), image=rng.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8))


def _blobs(rng: np.random.Generator, count: int) -> list[np.ndarray]:
    ys, xs = np.mgrid[:SIDE, :SIDE]
    centres, spreads = rng.uniform(0, SIDE, (count, 2)), rng.uniform(6, 20, count)
    return [
        (0.01 * np.exp(-((ys - y) ** 2 + (xs - x) ** 2) / (2 * spread**2))).astype(np.float32)
        for (y, x), spread in zip(centres, spreads, strict=True)
    ]


def _link(small: Path, large: Path, times: int) -> None:
    for generation in sorted(small.iterdir()):
        for copy in range(times):
            target = large / f"{generation.name}-{copy}"
            target.mkdir(parents=True)
            for file in generation.iterdir():
                os.link(file, target / file.name)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--times", type=int, default=10, help="how many times larger the larger folder is")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
