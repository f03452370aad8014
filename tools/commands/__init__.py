"""The subcommands of `smalti`, one file each: arguments and a thin `run`."""
