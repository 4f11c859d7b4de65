"""The `netinfer` command. Everything heavy is imported inside the commands, so that `--help` answers at once."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from netinfer.errors import ConfigError, NetinferError

app = typer.Typer(
    name="netinfer",
    help="Sparse regulatory networks from expression data that say how sure they are.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_state = {"debug": False}


def _show_version(value: bool) -> None:
    if value:
        from netinfer import __version__

        typer.echo(f"netinfer {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Version.")] = False,
) -> None:
    _state["debug"] = debug
    logging.basicConfig(level=logging.INFO if not debug else logging.DEBUG, format="netinfer: %(message)s")


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist or is empty.")],
) -> None:
    """Make a project folder: workflow, profiles, config and the demo data."""
    from netinfer.project import init_project

    made = init_project(folder)
    typer.echo(f"{made}: a project with the demo data. Next: edit {made / 'config' / 'config.yaml'}, then")
    typer.echo(f"  netinfer run {made} --cores 2")


@app.command()
def check(
    config: Annotated[
        list[Path] | None, typer.Argument(metavar="[CONFIG]...", help="Later ones are merged over.")
    ] = None,
    directory: Annotated[Path, typer.Option("--directory", "-d", help="Folder that paths are relative to.")] = Path(),
) -> None:
    """Read config and data and say what is in them, or what is wrong with each."""
    from netinfer.config import load_config
    from netinfer.preflight import check_config, describe
    from netinfer.splits import expand_splits

    _enter(directory)
    summaries, problems = check_config(expand_splits(load_config(config or ["config/config.yaml"])))
    for summary in summaries:
        typer.echo("\n".join(describe(summary)))
    for name, error in problems:
        _show(error, f"{name}: ")
    if problems:
        raise typer.Exit(problems[0][1].exit_code)


@app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def run(
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[DIR] [SNAKEMAKE OPTIONS]...", help="Project folder, then the rest.")
    ] = None,
    cores: Annotated[str | None, typer.Option("--cores", "-c", help="Cores to use; all if not given.")] = None,
    profile: Annotated[str | None, typer.Option(help="Snakemake profile, such as `slurm`.")] = None,
    executor: Annotated[str | None, typer.Option("--executor", "-e", help="Snakemake executor.")] = None,
    configfile: Annotated[list[str] | None, typer.Option(help="Config merged over config/config.yaml.")] = None,
    assume_dead: Annotated[
        bool, typer.Option("--assume-dead", help="Take a run of another host, recorded here, for dead.")
    ] = False,
) -> None:
    """Check a project, clear up after a killed run, then run Snakemake."""
    from netinfer.run import RunRequest, Stopped, run_project

    rest = list(arguments or [])
    folder = Path(rest.pop(0)) if rest and not rest[0].startswith("-") else Path()
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder: make a project with `netinfer init DIR`")
    files = tuple(str(Path(file).resolve()) for file in configfile or ())
    request = RunRequest(folder, cores, profile, executor, files, tuple(rest), assume_dead, _state["debug"])
    try:
        code = run_project(request)
    except Stopped as stopped:
        typer.echo("netinfer: stopped; run again to go on", err=True)
        code = stopped.exit_code
    raise typer.Exit(code)


@app.command()
def evaluate(
    network: Annotated[
        Path,
        typer.Argument(help="Results folder of a data set, or a table (tsv, csv, parquet): source, target, weight."),
    ],
    gold: Annotated[Path, typer.Argument(help="Gold standard: source, target and, if it is complete, 0/1.")],
    expression: Annotated[Path | None, typer.Option(help="Expression, to score |Pearson| beside it.")] = None,
) -> None:
    """Score a network against a gold standard; the table goes to standard output.

    AUPR and AUROC need all ranked candidates: give the results folder (or candidates.parquet), not edges.tsv.
    """
    from netinfer.evaluate import evaluate as score
    from netinfer.io import read_expression, read_gold

    baseline = read_expression(expression) if expression is not None else None
    table = score(network, read_gold(gold), baseline=baseline)
    typer.echo(table.to_csv(sep="\t", index=False), nl=False)


@app.command()
def simulate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist or is empty.")],
    kind: Annotated[str, typer.Option(help="sparse_linear (log expression) or counts.")] = "sparse_linear",
    samples: Annotated[int, typer.Option(min=1, help="Number of samples.")] = 200,
    regulators: Annotated[int, typer.Option(min=1, help="Number of regulators.")] = 50,
    targets: Annotated[int, typer.Option(min=1, help="Number of target genes.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Seed.")] = 0,
) -> None:
    """Simulate a data set with known edges: expression, regulators, gold standard and a config for them."""
    from netinfer.project import write_simulation

    config = write_simulation(folder, kind, samples=samples, regulators=regulators, targets=targets, seed=seed)
    typer.echo(f"{folder}: simulated. Next: netinfer check --directory {folder} {config}")


def _enter(folder: Path) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}: give a folder") from None


def _show(error: NetinferError, before: str = "") -> None:
    for line in str(error).splitlines():
        typer.echo(f"netinfer: {before}{line}", err=True)


def main() -> None:
    """Run the command line; an error that the user can mend is one line and an exit code."""
    try:
        app()
    except NetinferError as error:
        if _state["debug"]:
            raise
        _show(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `netinfer ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
