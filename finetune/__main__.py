"""`python -m finetune`, as schedulers of clusters start it."""

from finetune.cli import main

main()
