"""``python -m blood_hpo`` is the command line."""

from blood_hpo.cli.main import main

main()
