"""The tests. `python3 tests` sets up what they need and runs all of them."""
