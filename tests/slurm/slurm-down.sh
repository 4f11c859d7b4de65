#!/bin/bash
# slurm-down.sh FOLDER: end the jobs and the daemons of slurm-up.sh, by the pids that it wrote in FOLDER.
set -uo pipefail
state=$(realpath "${1:?give a folder}")
link=/etc/slurm/slurm.conf
export SLURM_CONF="$state/slurm.conf"

timeout 10 scancel --quiet --user="$(id -un)" 2> /dev/null
for _ in $(seq 50); do # jobs are ended by slurmd, which must still be there
  [ -n "$(timeout 5 squeue --noheader 2> /dev/null)" ] || break
  sleep 0.1
done
alive() { [ "$(cat "/proc/$1/comm" 2> /dev/null)" = "$2" ] && [ -n "$(tr -d '\0' < "/proc/$1/cmdline")" ]; } # no zombie
for daemon in n1:slurmd n2:slurmd slurmctld:slurmctld munged:munged; do
  file="$state/${daemon%:*}.pid"
  [ -s "$file" ] || continue
  pid=$(cat "$file")
  for signal in TERM KILL; do
    alive "$pid" "${daemon#*:}" || break
    kill -s "$signal" "$pid"
    for _ in $(seq 50); do
      alive "$pid" "${daemon#*:}" || break
      sleep 0.1
    done
  done
  rm -f "$file"
done
if [ "$(readlink "$link")" = "$SLURM_CONF" ]; then rm "$link"; fi
exit 0
