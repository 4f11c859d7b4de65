# Long-lived worker of benchmarks/peers.py: reads the arrays of a folder once, then times one line of code at a time.
#   Rscript worker.R FOLDER
# Each request is two lines: what is timed (it assigns `fit`), and what is handed back (not timed).
folder <- commandArgs(trailingOnly = TRUE)[1]
for (line in readLines(file.path(folder, "arrays.txt"))) {
  parts <- strsplit(line, " ")[[1]]
  shape <- as.integer(parts[-1])
  values <- readBin(file.path(folder, paste0(parts[1], ".bin")), "double", prod(shape))
  assign(parts[1], if (length(shape) > 1) array(values, shape) else values)
}
# Nanoseconds on a core, where Linux tells them; proc.time is rounded to milliseconds.
schedule <- "/proc/self/schedstat"
clock <- function() {
  if (Sys.getenv("NETINFER_BENCH_CLOCK") == "wall") return(as.numeric(Sys.time()))
  if (file.exists(schedule)) return(scan(schedule, quiet = TRUE, nlines = 1)[1] / 1e9)
  sum(proc.time()[1:2])
}
requests <- file("stdin", open = "r")
while (length(code <- readLines(requests, 1)) > 0) {
  result <- readLines(requests, 1)
  answer <- tryCatch({
    timed <- parse(text = code)
    began <- clock()
    eval(timed)
    seconds <- clock() - began
    out <- eval(parse(text = result))
    shape <- if (is.null(dim(out))) length(out) else dim(out)
    writeBin(as.double(out), file.path(folder, "result.bin"))
    paste(c("ok", sprintf("%.9f", seconds), shape), collapse = " ")
  }, error = function(fault) paste("failed", gsub("\n", " ", conditionMessage(fault))))
  cat(answer, "\n", sep = "", file = stdout())
  flush(stdout())
}
