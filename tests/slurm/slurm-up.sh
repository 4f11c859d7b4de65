#!/bin/bash
# slurm-up.sh FOLDER: start a SLURM of two nodes on this host, on loopback, without systemd or accounting.
# Needs root, Debian's slurm-wlm and munge, and no SLURM configured here: all that it writes, munge's key and socket
# too, is in FOLDER, except a link at /etc/slurm/slurm.conf (jobs of Snakemake forget SLURM_CONF).
# `slurm-down.sh FOLDER` ends it.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"
state=$(realpath "${1:?give a folder}")
link=/etc/slurm/slurm.conf
port=${SLURM_PORT:-26817} # this one and the next two
host=$(hostname -s)
unset SLURM_CONF
mkdir -p "$state"/{save,spool}

cat > "$state/slurm.conf" <<CONF
ClusterName=netinfer
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$state/munge.socket
CredType=cred/munge
# Neither cgroups nor MPI, which a container lacks.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,bf_interval=2
# The nodes may claim more memory and processors than the host has.
SlurmdParameters=config_overrides
KillWait=3
# The plugin trusts squeue only if ended jobs stay in it for long enough.
MinJobAge=300
MailProg=/bin/true
StateSaveLocation=$state/save
SlurmdSpoolDir=$state/spool/%n
SlurmctldPidFile=$state/slurmctld.self
SlurmdPidFile=$state/%n.self
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/%n.log
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=2 RealMemory=8000
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=2 RealMemory=8000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP DefMemPerCPU=100
CONF

# Never in the place of another's.
if [ ! -e "$link" ]; then rm -f "$link"; fi
mkdir -p /etc/slurm && ln -s "$state/slurm.conf" "$link"

start() { # name command...: in the foreground of its own session, its pid written down
  local name=$1
  shift
  setsid "$@" > "$state/$name.out" 2>&1 < /dev/null &
  echo $! > "$state/$name.pid"
}
wait_for() {
  for _ in $(seq 200); do
    "$@" > /dev/null 2>&1 && return 0
    sleep 0.1
  done
  echo "slurm-up: not ready after 20 s: $*" >&2
  tail -n 5 "$state"/*.out "$state"/*.log >&2 || true
  return 1
}

(umask 077 && head -c 128 /dev/urandom > "$state/munge.key")
# --force: the folder need not be one that every user can reach.
start munged munged --foreground --force --key-file="$state/munge.key" --socket="$state/munge.socket" \
  --pid-file="$state/munged.self" --log-file="$state/munged.log" --seed-file="$state/munged.seed"
wait_for bash -c "munge --no-input --socket='$state/munge.socket' | unmunge --socket='$state/munge.socket'"
start slurmctld slurmctld -D
for node in n1 n2; do
  start "$node" slurmd -D -N "$node"
done
all_idle() { [ "$(sinfo --noheader --Node --states=idle --format=%N | wc -l)" = 2 ]; }
wait_for all_idle
sinfo --Node --format='%N %T %c %m'
