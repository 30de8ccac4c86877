"""``python -m tests.fuzz [TARGET ...]``."""

from tests.fuzz.driver import main

if __name__ == "__main__":
    raise SystemExit(main())
