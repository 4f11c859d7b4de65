"""Long-lived worker of benchmarks/peers.py for a peer that needs another Python: the protocol of worker.R.

python worker.py FOLDER
"""

import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np


def main() -> None:
    warnings.simplefilter("ignore")
    folder, answers = Path(sys.argv[1]), sys.stdout
    sys.stdout = sys.stderr  # what a peer prints must not reach the protocol
    clock = time.perf_counter if os.environ.get("NETINFER_BENCH_CLOCK") == "wall" else time.process_time
    names = {"np": np}
    for line in (folder / "arrays.txt").read_text().splitlines():
        name, *shape = line.split()
        names[name] = np.fromfile(folder / f"{name}.bin").reshape([int(s) for s in shape], order="F")
    while code := sys.stdin.readline():
        result = sys.stdin.readline()
        try:
            timed = compile(code.strip(), "<request>", "exec")
            began = clock()
            exec(timed, names)
            seconds = clock() - began
            out = np.asarray(eval(result.strip(), names), dtype=np.float64)
            (folder / "result.bin").write_bytes(out.tobytes(order="F"))
            answer = " ".join(["ok", f"{seconds:.9f}", *map(str, out.shape)])
        except Exception as fault:  # it goes to the caller, which raises it
            answer = "failed " + repr(fault).replace("\n", " ")
        print(answer, file=answers, flush=True)


main()
