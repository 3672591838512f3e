"""Write issues in Markdown, keep them in git, send them through any SMTP relay, and know exactly
who got them.

Importing the package imports nothing else: `send.py` does so before anything is installed.
"""

__version__ = "0.1.0"
