"""The private desk on 127.0.0.1: issues as they will arrive, and the inbox on this machine."""
