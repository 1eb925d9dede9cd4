"""Entry of the command line: signals first, then the commands, and the way out of every error."""

from __future__ import annotations

import errno
import os
import sys

from api.cli.signals import Stopped, catch_signals


def _failed(error: BaseException) -> int:
    """Write an error to the log and tell the user in one block; return the exit status."""
    from api.cli.console import err, record, say, show_error
    from api.settings import PROJECT, load_settings
    from geo.errors import CasaMapsError, SetupError

    try:
        data_dir = load_settings().data_dir
    except CasaMapsError:
        data_dir = PROJECT / ".casamaps"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        error = SetupError("setup.disk", reason=error.strerror or "", path=str(error.filename or data_dir))
    if isinstance(error, CasaMapsError):
        show_error(error)
        if error.log and (path := record(data_dir, error)):
            err().print(f"  {say('log_at', path=path)}", markup=False)
    else:
        path = record(data_dir, error)
        show_error(SetupError("setup.unexpected", error=f"{type(error).__name__}: {error}", path=path or "-"))
    return 1


def main() -> int:
    """Run a command and return its exit status: 1 for errors, 2 for usage, 128 + n for a signal."""
    catch_signals()
    try:
        import click

        from api.cli.commands import cli
    except Stopped as stopped:
        return 128 + stopped.number
    try:
        cli.main(prog_name="./casamaps", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Abort:
        return 130
    except Stopped as stopped:
        return 128 + stopped.number
    except BrokenPipeError:
        return 141
    except Exception as error:
        return _failed(error)
    return 0


if __name__ == "__main__":
    exit_status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # All is stopped and written; taking the modules apart one by one would only keep the terminal waiting for a second.
    os._exit(exit_status)
