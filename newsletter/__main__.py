"""`python -m newsletter`: the command line, for whoever has no scripts folder on the PATH."""

from newsletter.cli import main

if __name__ == "__main__":
    main()
