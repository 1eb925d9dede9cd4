"""The configuration of the private server, from the machine's memory."""

from __future__ import annotations

import re
from pathlib import Path

from layers.account import Account

_MB = 1024 * 1024
INCLUDED = "casamaps.conf"


def machine_memory() -> int:
    """Return the memory in bytes that this machine, or the container around us, lets us use."""
    limits = []
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limits.append(int(Path(path).read_text(encoding="ascii")))
        except (OSError, ValueError):
            continue  # no such file, or "max": no limit
    try:
        match = re.search(r"^MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"), re.MULTILINE)
        limits += [int(match[1]) * 1024] if match else []
    except OSError:
        pass  # not Linux: the default
    return min(limits, default=2048 * _MB)


def server_settings(memory: int, *, durable: bool = True) -> str:
    """Return the server's settings as text; ``durable=False`` is for databases that tests throw away."""
    shared = max(32, min(memory // _MB // 4, 1024))
    settings = {
        "listen_addresses": "''",
        "port": 5432,  # names the socket's file only
        "unix_socket_permissions": "0700",
        "max_connections": 50,
        "shared_buffers": f"{shared}MB",
        "effective_cache_size": f"{max(64, memory // _MB // 2)}MB",
        # Sorts and hashes of 50 connections at most; a quarter of what is left must do for all of them.
        "work_mem": f"{max(4, min(memory // _MB // 200, 32))}MB",
        "maintenance_work_mem": f"{max(16, min(memory // _MB // 16, 256))}MB",
        "random_page_cost": 1.1,
        "effective_io_concurrency": 100,
        "jit": "off",  # costs more than it saves in queries of a millisecond
        "wal_level": "minimal",  # no replica: bulk loads into new tables write no log
        "max_wal_senders": 0,
        "max_wal_size": "1GB",
        "min_wal_size": "80MB",
        "wal_compression": "on",
        "checkpoint_completion_target": 0.9,
        "fsync": "on" if durable else "off",
        "synchronous_commit": "on" if durable else "off",
        "full_page_writes": "on" if durable else "off",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "lc_messages": "'C'",
        # One file a weekday, overwritten a week later. No statement texts: positions of people must not be logged.
        "logging_collector": "on",
        "log_directory": "'log'",
        "log_filename": "'server-%a.log'",
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": 0,
        "log_min_error_statement": "panic",
        "log_line_prefix": "'%m [%p] '",
        "cluster_name": "'casamaps'",
    }
    lines = ["# Written by CasaMaps at every start; changes here are lost."]
    return "\n".join([*lines, *(f"{name} = {value}" for name, value in settings.items())]) + "\n"


def configure(data: Path, account: Account, users: set[str], *, durable: bool) -> None:
    """Write the server's settings and who may connect: the accounts in ``users``, over the socket, and nobody else."""
    files = {
        INCLUDED: server_settings(machine_memory(), durable=durable),
        "pg_hba.conf": "local all all peer map=casamaps\n",
        "pg_ident.conf": "".join(
            f'casamaps "{user}" "{role}"\n' for user in sorted(users) for role in ("casamaps", "postgres")
        ),
    }
    main = data / "postgresql.conf"
    include = f"include '{INCLUDED}'\n"
    text = main.read_text(encoding="utf-8")
    if not text.endswith(include):
        files[main.name] = f"{text}\n{include}"
    for name, content in files.items():
        path = data / name
        if path.exists() and path.read_text(encoding="utf-8") == content:
            continue
        draft = data / f"{name}.new"
        draft.write_text(content, encoding="utf-8")
        draft.chmod(0o600)
        account.give_file(draft)
        draft.replace(path)
