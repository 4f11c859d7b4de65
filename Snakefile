# Runs the workflow from the root of the repository or of a project folder made by `netinfer init`.


module netinfer:
    snakefile:
        "workflow/Snakefile"


use rule * from netinfer
