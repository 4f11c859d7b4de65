"""Do the bounds on false edges hold? Many small simulated networks, all rules on the same half-samples.

    python benchmarks/calibration.py [--networks 200] [--jobs 2] [--rules meinshausen_buhlmann:0.9 ...] [--figure FILE]

12 Gaussian settings (n 50, 100, 300; 50 or 200 regulators; independent, or in ten modules that share half of their
variance), 2 heavy-tailed ones (everything of Student's t with 3 degrees of freedom; n 100, 200 regulators), and 2 wide
ones (n 40, 600 regulators: 30 candidates a unit of a half-sample, where the default threshold is 0.6), which are
printed with the others and summed apart. 20 targets a network: half have no regulator, the others 1 to 20 with
R2 of 0.2 to 0.9, and for a quarter of these one regulator is not measured. A false edge has coefficient zero in the
population regression of the target on the candidates; a causally false one is no regulator of the target, such as a
stand-in for one that was not measured, and is printed apart. 50 complementary pairs, the Lasso. Levels: 1 and 5
expected false edges a network.

A rule is named with its threshold (meinshausen_buhlmann:0.9), the IPSS rules with their truncation constant
(ipss_quadratic:0.01; without one it is `auto`, chosen on the data). For each rule and setting: mean number of false
edges and its standard error; a rule breaks its level where the mean less two standard errors is above it. The settings
where the rules' assumption (selection by chance is even over the candidates) was expected to hold were named before
the first run: the independent regulators. IPSS needs the like of joint selections, too, which halves of the same data
need not give: the cubic rule breaks its level there, so it misses the bar, and no setting is named for it.
"""

from __future__ import annotations

import argparse
import itertools
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np
import pandas as pd
from selections import select

from netinfer import plot
from netinfer.config import RegressionConfig
from netinfer.kernels import thread_limit
from netinfer.stability import SelectionCounts, expected_false
from netinfer.stability.rules import IPSS_ORDER

N_TARGETS, N_MODULES, HALVES, LEVELS = 20, 10, 100, (1.0, 5.0)
RULES = (
    "meinshausen_buhlmann:0.6", "meinshausen_buhlmann:0.75", "meinshausen_buhlmann:0.9", "shah_samworth_unimodal:0.75",
    "shah_samworth_unimodal:0.9", "shah_samworth_unimodal:0.95", "shah_samworth_unimodal:0.98",
    "shah_samworth_unimodal:1", "shah_samworth:0.75", "shah_samworth:0.9", "shah_samworth:0.98", "ipss_quadratic",
    "ipss_quadratic:0.05", "ipss_quadratic:0.01", "ipss_quadratic:0.002", "ipss_cubic", "ipss_cubic:0.05",
    "ipss_cubic:0.01", "ipss_cubic:0.002",
)  # fmt: skip
SHORT = {
    "meinshausen_buhlmann": "MB", "shah_samworth_unimodal": "SS unimodal", "shah_samworth": "SS r-concave",
    "ipss_quadratic": "IPSS quadratic", "ipss_cubic": "IPSS cubic",
}  # fmt: skip
DRAWN = ("meinshausen_buhlmann:0.75", "meinshausen_buhlmann:0.9", "shah_samworth_unimodal:0.9",
         "shah_samworth_unimodal:0.98", "shah_samworth:0.9", "ipss_quadratic", "ipss_cubic")  # fmt: skip


class Setting(NamedTuple):
    """One design of the study."""

    n: int
    p: int
    is_modular: bool
    is_heavy: bool = False

    @property
    def label(self) -> str:
        """Name the setting in the tables."""
        return f"n {self.n}, P {self.p}, {'modules' if self.is_modular else 'independent'}" + (
            ", t(3)" if self.is_heavy else ""
        )


SETTINGS = [Setting(*values) for values in itertools.product((50, 100, 300), (50, 200), (False, True))]
SETTINGS += [Setting(100, 200, False, True), Setting(100, 200, True, True)]
WIDE = [Setting(40, 600, False), Setting(40, 600, True)]


class Network(NamedTuple):
    """Data and truth of one network."""

    X: np.ndarray
    Y: np.ndarray
    is_nonzero: np.ndarray  # (n_targets, p): in the population regression on the candidates
    is_causal: np.ndarray
    covariance: np.ndarray  # (p, p) of the candidates in the population, variances 1
    cross: np.ndarray  # (n_targets, p) with the targets, whose variance is 1 where they have regulators or not


def draw(setting: Setting, rng: np.random.Generator) -> Network:
    """Draw one network: one extra column a target stands for a regulator that is not measured."""
    n, p, total = setting.n, setting.p, setting.p + N_TARGETS

    def noise(*shape):
        return rng.standard_t(3, shape) / np.sqrt(3) if setting.is_heavy else rng.standard_normal(shape)

    loading = np.zeros((total, N_MODULES))
    if setting.is_modular:
        loading[np.arange(total), rng.integers(0, N_MODULES, total)] = np.sqrt(0.5)
    own = 1.0 - (loading**2).sum(axis=1)
    X = noise(n, N_MODULES) @ loading.T + noise(n, total) * np.sqrt(own)
    covariance = loading @ loading.T + np.diag(own)
    causal, Y = np.zeros((N_TARGETS, total)), noise(n, N_TARGETS)
    for t in range(N_TARGETS // 2, N_TARGETS):
        k = int(rng.integers(1, 21))
        places = rng.choice(p, k, replace=False)
        if rng.random() < 0.25:
            places[0] = p + t
        strength = rng.standard_normal(k)
        strength += 0.5 * np.sign(strength)
        strength *= np.sqrt(rng.uniform(0.2, 0.9) / (strength @ covariance[np.ix_(places, places)] @ strength))
        causal[t, places] = strength
        explained = strength @ covariance[np.ix_(places, places)] @ strength
        Y[:, t] = X[:, places] @ strength + np.sqrt(1.0 - explained) * Y[:, t]
    population = np.linalg.solve(covariance[:p, :p], covariance[:p] @ causal.T).T
    return Network(
        X[:, :p], Y, np.abs(population) > 1e-9, causal[:, :p] != 0.0, covariance[:p, :p], (covariance[:p] @ causal.T).T
    )


def selections_of(network: Network, seed: int) -> tuple[SelectionCounts, np.ndarray, np.ndarray]:
    """Return what the rules read, and target and regulator of each pair that may pass; path and halves by default."""
    defaults = RegressionConfig()
    penalties = np.geomspace(defaults.penalty_max, defaults.penalty_min, defaults.n_penalties)
    with thread_limit(1):
        return select(network.X, network.Y, penalties, HALVES, seed=seed).for_rules()


def label(text: str) -> str:
    """Name a rule in the tables: MB 0.9, SS unimodal 0.9, SS r-concave 0.9, IPSS quadratic 0.01 (or auto)."""
    rule, _, value = text.partition(":")
    return f"{SHORT[rule]} {value or ('auto' if rule in IPSS_ORDER else 'by default')}"


def bound_of(text: str, selection: SelectionCounts) -> np.ndarray:
    """Return the bounds of a rule named as `RULES` names them: with its threshold, or its truncation constant."""
    rule, _, value = text.partition(":")
    constant = "truncation" if rule in IPSS_ORDER else "threshold"
    return expected_false(selection, rule, **({constant: float(value)} if value else {}))


def run(job: tuple[int, Setting, int, tuple[str, ...]]) -> list[tuple]:
    """Draw one network and count what each rule lets in."""
    place, setting, seed, rules = job
    network = draw(setting, np.random.default_rng([place, seed]))
    selection, target, regulator = selections_of(network, seed)
    is_nonzero, is_causal = network.is_nonzero[target, regulator], network.is_causal[target, regulator]
    rows = []
    for text in rules:
        bound = bound_of(text, selection)
        for level in LEVELS:
            chosen = bound <= level
            rows.append(
                (setting.label, text, level, seed, int(chosen.sum()), int((chosen & ~is_nonzero).sum()),
                 int((chosen & ~is_causal).sum()), int((chosen & is_causal).sum()))
            )  # fmt: skip
    return rows


COLUMNS = ["setting", "rule", "level", "seed", "edges", "false", "causally_false", "true"]


def study(n_networks: int, jobs: int = 1, rules: tuple[str, ...] = RULES, settings=None) -> pd.DataFrame:
    """Run the study; one row a network, rule and level."""
    settings = [*SETTINGS, *WIDE] if settings is None else settings
    todo = [(i, setting, seed, tuple(rules)) for i, setting in enumerate(settings) for seed in range(n_networks)]
    if jobs == 1:
        results = [run(job) for job in todo]
    else:
        with ProcessPoolExecutor(jobs) as pool:
            results = list(pool.map(run, todo, chunksize=10))
    return pd.DataFrame([row for rows in results for row in rows], columns=COLUMNS)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return means over the networks, their standard errors, and whether the bound is broken."""
    grouped = rows.groupby(["rule", "level", "setting"], sort=False)
    table = grouped[["edges", "false", "causally_false", "true"]].mean()
    table["se"] = grouped["false"].sem(ddof=1)
    table = table.reset_index()
    table["breaks"] = table["false"] - 2.0 * table["se"] > table["level"]
    return table


def verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Return by rule in how many settings its level is kept, where that was expected in advance and elsewhere."""
    is_named = {setting.label: not setting.is_modular for setting in (*SETTINGS, *WIDE)}
    rows = []
    for rule, part in table.groupby("rule", sort=False):
        cells = [rule]
        for named in (True, False):
            here = part[part["setting"].map(is_named) == named]
            worst = here.loc[(here["false"] / here["level"]).idxmax()]
            cells += [
                f"{(~here['breaks']).sum()} of {len(here)}",
                f"{worst['false']:.2f} ± {worst['se']:.2f} of {worst['level']:g} ({worst['setting']})",
            ]
        rows.append(cells)
    names = ["rule", "independent: kept", "worst", "modules: kept", "worst there"]
    return pd.DataFrame(rows, columns=names)


def draw_curves(rows: pd.DataFrame, file: str) -> None:
    """Draw mean false edges against the level asked for, all settings but the wide ones together."""
    rows = rows[rows["rule"].isin(DRAWN) & ~rows["setting"].isin([setting.label for setting in WIDE])]
    rows = rows.assign(rule=[label(text) for text in rows["rule"]])
    grouped = rows.groupby(["rule", "level"], sort=False)["false"]
    table = pd.DataFrame({"observed": grouped.mean(), "se": grouped.sem(ddof=1)}).reset_index()
    axes = plot.calibration_curve(table.rename(columns={"level": "asked"}))
    axes.figure.savefig(file, dpi=150, bbox_inches="tight")


def show(table: pd.DataFrame) -> None:
    """Print the tables of docs/benchmarks.md from a summary."""
    table = table.assign(rule=[label(text) for text in table["rule"]])
    is_ipss = table["rule"].str.startswith("IPSS")
    for level, family in itertools.product(LEVELS, (~is_ipss, is_ipss)):
        part = table[family & (table["level"] == level)]
        if not len(part):
            continue
        marks = ["**" if breaks else "" for breaks in part["breaks"]]
        cells = [f"{m}{r.false:.2f} ± {r.se:.2f}{m}" for m, r in zip(marks, part.itertuples(), strict=True)]
        grid = part.assign(cell=cells).pivot_table(
            index="setting", columns="rule", values="cell", aggfunc="first", sort=False
        )
        print(f"\nFalse edges a network, at most {level:g} asked for (mean ± standard error; broken ones in bold):\n")
        print(grid.to_markdown(tablefmt="pipe"))
    print("\nIn how many settings and levels the level is kept, and the worst of them:\n")
    print(verdicts(table).to_markdown(index=False))
    is_wide = table["setting"].isin([setting.label for setting in WIDE])
    for what, part in (("all settings but the wide ones", table[~is_wide]), ("the wide ones", table[is_wide])):
        totals = part.groupby(["rule", "level"], sort=False)[["edges", "false", "causally_false", "true"]].sum()
        print(f"\nMeans a network, summed over {what}:\n")
        print(totals.round(2).reset_index().to_markdown(index=False))


def main() -> None:
    """Print the false edges by rule and setting, and the true ones summed over settings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rules", nargs="*", default=list(RULES))
    parser.add_argument("--figure", help="draw the calibration curves into this file")
    parser.add_argument("--table", help="write the rows of every network, tab separated")
    options = parser.parse_args()
    rows = study(options.networks, options.jobs, tuple(options.rules))
    if options.figure:
        draw_curves(rows, options.figure)
    if options.table:
        rows.to_csv(options.table, sep="\t", index=False)
    show(summary(rows))


if __name__ == "__main__":
    main()
