"""The command line: one module per command group; nothing heavy is imported at the top."""
