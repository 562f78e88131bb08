"""Train the tiny world's model: ``python -m attribution.tinyworld.train --out DIR``.

On two CPU cores (hours): ``python -m attribution.tinyworld.train --out var/tinyworld --minutes 150``. On one GPU
(twenty minutes, 5 to 20 million samples): ``python -m attribution.tinyworld.train --out var/tinyworld --device cuda
--minutes 20 --batch 1024 --rate 2e-3 --average 0.9995 --pool 2000000 --workers 16 --compile``.

Stages: ``vae`` (a tenth of the time), then ``unet`` with the text encoder, then ``ship`` writes the pipeline to
``DIR/pipeline`` in half precision. ``decoder``, at any time, trains the autoencoder's second half alone. ``--resume``
takes up the newest checkpoint; the log is ``DIR/log.jsonl``, and a sheet of samples is drawn at every checkpoint.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from transformers import CLIPTokenizer

from attribution.tinyworld.model import assemble, new_tokenizer, ship
from attribution.tinyworld.pools import PHASES
from attribution.tinyworld.runs import Log
from attribution.tinyworld.samples import sample_sheet
from attribution.tinyworld.unet_stage import Plan, Trainer, train_unet
from attribution.tinyworld.vae_stage import refine_decoder, train_vae


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the stages asked for."""
    options = _options(arguments)
    device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    log = Log(options.out / "log.jsonl")
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.stage in ("vae", "all") and not (options.resume and (options.out / "vae").exists()):
        train_vae(options.out, options.minutes * (0.1 if options.stage == "all" else 1), device, log)
    if options.stage == "decoder":
        refine_decoder(options.out, options.minutes, device, log)
    if options.stage in ("unet", "all"):
        _train_unet(options, device, log)
    if options.stage in ("ship", "all"):
        _ship(options, device)


def _train_unet(options: argparse.Namespace, device: torch.device, log: Log) -> None:
    vae, tokenizer = _parts(options.out, device)
    trainer = Trainer(options.out, _plan(options), device, tokenizer)
    if options.resume and trainer.resume():
        log.write(stage="unet", resumed_at=trainer.samples)

    def on_save() -> None:
        sample_sheet(trainer, vae).save(options.out / "samples.png")

    train_unet(trainer, vae, log, on_save, options.every)


def _ship(options: argparse.Namespace, device: torch.device) -> None:
    vae, tokenizer = _parts(options.out, device)
    trainer = Trainer(options.out, _plan(options), device, tokenizer)
    trainer.resume()
    facts = {
        "name": "tinyworld",
        "title": "Tiny world",
        "trained": trainer.samples > 0,
        "licence": "MIT",
        "samples": trainer.samples,
        "training_minutes": round(trainer.seconds / 60),
        "note": "A small model of a procedural world, trained from scratch without supervision of its attention.",
        # What studies use unless told otherwise; the evaluation's numbers are of these.
        "recipe": {"steps": 20, "guidance": 3.0, "height": 64, "width": 64},
    }
    average = trainer.average
    ship(assemble(vae, tokenizer, average.text_encoder, average.unet), options.ship or options.out / "pipeline", facts)


def _parts(folder: Path, device: torch.device) -> tuple[AutoencoderKL, CLIPTokenizer]:
    """The trained autoencoder, and the run's tokenizer: learned once, as its ids are what the text encoder knows."""
    vae = AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=torch.float32).to(device).eval()
    if not (folder / "tokenizer").exists():
        new_tokenizer().save_pretrained(folder / "tokenizer")
    return vae, CLIPTokenizer.from_pretrained(folder / "tokenizer")


def _plan(options: argparse.Namespace) -> Plan:
    return Plan(
        minutes=options.minutes * (0.9 if options.stage == "all" else 1),
        batch=options.batch,
        parts=options.parts,
        rate=options.rate,
        average=options.average,
        pool=options.pool,
        workers=options.workers,
        compiled=options.compile,
        optimiser=options.optimiser,
        phase=options.phase,
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    plan = Plan(minutes=150)
    parser = argparse.ArgumentParser(prog="python -m attribution.tinyworld.train", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, pools, log and sheets")
    parser.add_argument("--stage", choices=("vae", "decoder", "unet", "ship", "all"), default="all")
    parser.add_argument("--minutes", type=float, default=plan.minutes, help="training time of the stages asked for")
    parser.add_argument("--every", type=float, default=5.0, help="minutes from one checkpoint to the next")
    parser.add_argument("--resume", action="store_true", help="take up the newest checkpoint")
    parser.add_argument("--device", default="", help="cuda where there is one, else cpu")
    parser.add_argument("--batch", type=int, default=plan.batch)
    parser.add_argument("--parts", type=int, default=plan.parts, help="parts in which a batch is taken")
    parser.add_argument("--rate", type=float, default=plan.rate, help="peak learning rate")
    parser.add_argument("--average", type=float, default=plan.average, help="decay of the weights' moving average")
    parser.add_argument("--optimiser", choices=("muon", "adamw"), default=plan.optimiser)
    names = [phase.name for phase in PHASES]
    parser.add_argument("--phase", choices=names, default="", help="this phase only, instead of one after another")
    parser.add_argument("--pool", type=int, default=plan.pool, help="scenes made ahead for each phase")
    parser.add_argument("--workers", type=int, default=plan.workers, help="processes that draw scenes")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves torch's choice")
    parser.add_argument("--compile", action="store_true", help="torch.compile: minutes at the start, then faster")
    parser.add_argument("--ship", type=Path, default=None, help="where the ship stage writes (DIR/pipeline)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
