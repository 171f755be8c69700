"""``python -m longdoc``: the command line."""

import sys

from longdoc.cli import main

if __name__ == "__main__":
    sys.exit(main())
