"""The `adoption` command, one module a subcommand."""
