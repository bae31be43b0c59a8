"""`python -m finetune`, as schedulers of clusters start it."""

from finetune.cli.app import main

main()
